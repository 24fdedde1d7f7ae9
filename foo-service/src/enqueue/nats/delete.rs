//! The end of a shared queue: its streams are deleted from the server, with all that they hold.

use async_nats::jetstream::context::ContextBuilder;

use super::{
    connect::{Unreached, connect},
    settings::NatsSettings,
    setup::is_missing,
};

/// Deletes the streams of a queue. One that is not there is no error.
///
/// # Errors
///
/// If the server cannot be reached or refuses; streams may be left then.
pub(in crate::enqueue) async fn delete(settings: &NatsSettings) -> Result<(), String> {
    let connected = connect(settings).await;
    let (client, _connections) = connected.map_err(|(Unreached::Unfit(why) | Unreached::Away(why))| why)?;
    let context = ContextBuilder::new().timeout(settings.timeout).build(client);
    // Messages first: an instance that is still there takes no more of them.
    for stream in [settings.work_stream(), settings.dead_stream(), settings.done_stream()] {
        match context.delete_stream(&stream).await {
            Ok(_) => {}
            Err(error) if is_missing(&error.kind()) => {}
            Err(error) => return Err(format!("the stream {stream} cannot be deleted: {error}")),
        }
    }
    Ok(())
}
