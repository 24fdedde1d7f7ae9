//! Dead letters, for the operator: listing them, and putting them back on the queue.

use async_nats::jetstream::{
    message::{PublishMessage, StreamMessage},
    stream::RawMessageErrorKind,
};
use foo_proto::v1;
use prost::Message as _;

use super::{
    connect::{Unreached, connect},
    settings::NatsSettings,
    setup::{Missing, Reached, set_up},
    wire,
};

/// A message that was moved to the dead letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The number of the letter.
    pub number: u64,
    /// The id of the message; `None` if it is no message of foo-service.
    pub id: Option<String>,
    /// How often the message was delivered.
    pub deliveries: u64,
    /// Why the message is a dead letter.
    pub reason: String,
    /// Bytes of the payload.
    pub bytes: u64,
}

/// The dead letters of a shared queue.
#[derive(Debug)]
pub struct DeadLetters {
    settings: NatsSettings,
    reached: Reached,
}

impl DeadLetters {
    /// Connects to the server of the queue. Creates nothing there.
    ///
    /// # Errors
    ///
    /// If there is no such queue, or it cannot be reached, or not be used with these settings.
    pub async fn open(settings: NatsSettings) -> Result<Self, String> {
        let open = async {
            let (client, connections) = connect(&settings).await?;
            set_up(&settings, client, connections, Missing::Refuse).await
        };
        let reached = open
            .await
            .map_err(|(Unreached::Unfit(why) | Unreached::Away(why))| why)?;
        Ok(Self { settings, reached })
    }

    /// The range of the numbers of the letters. Some numbers in it may have no letter.
    async fn numbers(&self) -> Result<std::ops::RangeInclusive<u64>, String> {
        let state = self
            .reached
            .dead
            .get_info()
            .await
            .map_err(|error| error.to_string())?
            .state;
        Ok(state.first_sequence.max(1)..=state.last_sequence)
    }

    /// The letter with this number, if there is one. Any other error of the server is an error.
    async fn letter(&self, number: u64) -> Result<Option<StreamMessage>, String> {
        match self.reached.dead.get_raw_message(number).await {
            Ok(raw) => Ok(Some(raw)),
            Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(format!("dead letter {number} cannot be read: {error}")),
        }
    }

    /// All dead letters, oldest first.
    ///
    /// # Errors
    ///
    /// If the server does not answer.
    pub async fn list(&self) -> Result<Vec<DeadLetter>, String> {
        let mut letters = Vec::new();
        for number in self.numbers().await? {
            // A number without a letter: the letter was put back on the queue.
            let Some(raw) = self.letter(number).await? else {
                continue;
            };
            let header = |name: &str| raw.headers.get(name).map(ToString::to_string).unwrap_or_default();
            let message = v1::Message::decode(&*raw.payload).ok();
            letters.push(DeadLetter {
                number,
                deliveries: header(wire::DEAD_DELIVERIES).parse().unwrap_or_default(),
                reason: header(wire::DEAD_REASON),
                bytes: message
                    .as_ref()
                    .map_or(raw.payload.len(), |message| message.payload.len()) as u64,
                id: message.map(|message| message.id),
            });
        }
        Ok(letters)
    }

    /// Puts the letter with this number back on the queue as a new message, and removes the letter. If that fails and is tried
    /// again, the message is still queued only once.
    ///
    /// # Errors
    ///
    /// If there is no such letter, the queue is full, or the server does not answer.
    pub async fn retry(&self, number: u64) -> Result<(), String> {
        let raw = self.letter(number).await?;
        let raw = raw.ok_or_else(|| format!("there is no dead letter {number}"))?;
        let created = self.reached.dead.cached_info().created.unix_timestamp_nanos();
        let message = PublishMessage::build()
            .payload(raw.payload)
            .header(wire::MESSAGE_ID, format!("retry-{created:x}-{number}").as_str());
        let context = &self.reached.context;
        let sent = async { context.send_publish(self.settings.work_subject(), message).await?.await };
        sent.await
            .map_err(|error| format!("dead letter {number} is not queued again: {error}"))?;
        let removed = self.reached.dead.delete_message(number).await;
        removed.map_err(|error| format!("dead letter {number} is queued again, and cannot be removed: {error}"))?;
        Ok(())
    }
}
