//! Makes the setting of a search from the flags of `load-client capacity`, and runs it.

use std::sync::Arc;

use super::find::{Found, Lengths, Setting, find, scenario};
use crate::{
    cli::{CapacityArgs, check_classes},
    live::Live,
    run::{self, RunError, Wanted},
    stop::Stopper,
};

/// Searches for the capacity of the service that `args` names.
///
/// # Errors
///
/// If the flags contradict each other, the service cannot be reached, or the first test cannot be made.
pub async fn of_service(args: &CapacityArgs, stopper: &Arc<Stopper>) -> Result<Found, RunError> {
    args.load.check().map_err(RunError::Load)?;
    let dial = run::dial(&args.urls, &args.tls, &args.connection)?;
    let rpc = args.call.rpc().or(args.load.mode()).unwrap_or(run::DEFAULTS.rpc);
    let services = run::services(&args.urls);
    let search = args.search.settings();
    if search.first > search.highest {
        let says = format!("--first-rps {} is more than --max-rps {}", search.first, search.highest);
        return Err(RunError::Load(says));
    }
    let first = scenario(&args.load, rpc, services, search.first, args.search.test);
    run::checked(&args.load, &first, services)?;
    check_classes(args.fail_if.iter(), &first).map_err(RunError::Load)?;
    let wanted = Wanted {
        call: &args.call,
        patience: args.load.connect_timeout,
    };
    let call = wanted.call(&dial, &first, &Live::default(), stopper.listener()).await?;
    let setting = Setting {
        load: (**args.load).clone(),
        rpc,
        services,
        call: Arc::new(call),
        dial,
        target: Some(run::names(&args.urls)),
        virtual_time: false,
        rules: args.fail_if.clone(),
        search,
        lengths: Lengths {
            settle: args.search.settle,
            test: args.search.test,
            last_test: args.search.last_test,
        },
        style: args.output.progress.manner(),
    };
    Ok(find(&setting, stopper).await?)
}
