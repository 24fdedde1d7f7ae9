//! Hints for flags that this program does not have.

/// The hint for flags that are settings of the service.
const OF_THE_SERVICE: &str =
    "it is a setting of the service: start foo-service with it; for its own services `load-client compare` takes it";
/// Flags of other tools and of the service that this program does not have, each with the flag to use instead.
pub(super) const HINTS: [(&str, &str); 28] = [
    ("--plaintext", "write the URL with http://, which is without TLS"),
    ("--skipTLS", "--insecure does not verify the server's certificate"),
    ("--skip-tls", "--insecure does not verify the server's certificate"),
    ("--vus", "--clients sets the number of clients"),
    ("--qps", "--rps sets the rate"),
    ("--body", "--data has the message"),
    ("--body-file", "--data-file names the file with the message"),
    ("--protoset", "--descriptor-set names the file that protoc has written"),
    (
        "--async",
        "--max-in-flight sets how many requests a client sends without waiting for answers",
    ),
    ("--output", "--json, --csv and --html name files for the report"),
    ("--format", "--json, --csv and --html name files for the report"),
    ("-o", "--json, --csv and --html name files for the report"),
    ("-O", "--json, --csv and --html name files for the report"),
    ("-m", "--header 'name: value' sends metadata; repeat it for more"),
    ("-M", "--header 'name: value' sends metadata; repeat it for more"),
    (
        "--metadata-file",
        "--header 'name: value' sends metadata; repeat it for more",
    ),
    ("-D", "--data-file names the file with the message"),
    ("-i", "--proto-path names the folder with the imports of --proto"),
    ("-x", "--duration sets the length of the load"),
    ("--max-duration", "--duration sets the length of the load"),
    (
        "--cname",
        "--authority sets the host that calls name, and --server-name that of the certificate",
    ),
    (
        "--config",
        "each flag can be an environment variable, which --help names; `load-client compare` reads lab files",
    ),
    (
        "--lb-strategy",
        "the connections are distributed over all URLs in turn; dns:///host:port is all addresses of a name",
    ),
    ("--workers", OF_THE_SERVICE),
    ("--service-time", OF_THE_SERVICE),
    ("--queue-capacity", OF_THE_SERVICE),
    ("--max-waiting", OF_THE_SERVICE),
    (
        "--capacity",
        "capacity is workers / service time: set --workers and --service-time of the service",
    ),
];
