"""Checks the page of `--html` with foreign parsers: as XML, and in the way in which browsers read HTML."""

import base64
import hashlib
from html.parser import HTMLParser
from xml.etree import ElementTree


class Reader(HTMLParser):
    """Records the elements that are opened and not closed, and the text of the style sheet."""

    EMPTY = {"meta", "br", "img", "link", "input", "hr"}

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.style = [], set(), ""

    def handle_starttag(self, name, attributes):
        self.seen.add(name)
        if name not in self.EMPTY:
            self.open.append(name)

    def handle_startendtag(self, name, attributes):
        self.seen.add(name)

    def handle_endtag(self, name):
        assert self.open.pop() == name

    def handle_data(self, data):
        if self.open and self.open[-1] == "style":
            self.style += data


def test_it_is_well_formed_as_xml_and_as_html_and_its_policy_allows_its_style(greeter, run, tmp_path):
    file = tmp_path / "page.html"
    data = '{"name": "<script>alert(\\"{{id}}\\")</script> & more"}'
    code, report, _, said = run(
        greeter.url, "--call", "helloworld.Greeter/SayHello", "--data", data, "-n", "40", "-r", "200", "--html", file
    )
    assert (code, said) == (0, "")
    text = file.read_text()
    page = ElementTree.fromstring(text)
    assert page.find("body/main/header/h1").text == "SayHello"
    assert page.find(".//code").text.endswith("--requests 40 --rps 200")
    assert data in page.find(".//code").text
    # Without Watch there are no charts of the service.
    charts = [chart.get("id") for chart in page.iter("figure")]
    assert charts == ["response-time-p99", "goodput", "response-time-p50", "percentiles-ok"]
    curve = report["response_time_curve"]["ok"]
    assert curve[-1] == {"quantile": 1.0, "seconds": report["response_time_seconds"]["ok"]["max"], "count": 40}

    reader = Reader()
    reader.feed(text)
    assert not reader.open and not {"script", "img", "link", "iframe"} & reader.seen
    policy = next(meta.get("content") for meta in page.iter("meta") if meta.get("http-equiv"))
    digest = hashlib.sha256(reader.style.encode()).digest()
    assert f"style-src 'sha256-{base64.b64encode(digest).decode()}'" in policy
