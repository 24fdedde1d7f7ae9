//! The flags of the load without those whose values a command decides itself.

use std::{marker::PhantomData, ops::Deref};

use clap::{ArgMatches, Args, Command, FromArgMatches, Id};

use super::{given::Given, load::LoadArgs};

/// A command that decides some flags of the load itself.
pub trait Decides {
    /// The long names of these flags.
    const FLAGS: &'static [&'static str];
    /// Why the command does not take them, and what to give instead: the end of a sentence.
    const INSTEAD: &'static str;
}

/// The flags of the load that the command `D` takes. The others are not in its help, and no variable sets them.
#[derive(Debug, Clone)]
pub struct LoadWithout<D> {
    load: Given<LoadArgs>,
    decides: PhantomData<D>,
}

impl<D: Decides> LoadWithout<D> {
    /// Checks that no flag was given that the command decides.
    ///
    /// # Errors
    ///
    /// If one was given: one sentence that names it.
    pub fn check(&self) -> Result<(), String> {
        let given = self.load.words().iter().map(|(name, _)| name.as_str());
        match given.filter(|name| D::FLAGS.contains(name)).min() {
            Some(name) => Err(format!("--{name} cannot be given here: {}", D::INSTEAD)),
            None => Ok(()),
        }
    }
}

impl<D> Deref for LoadWithout<D> {
    type Target = Given<LoadArgs>;

    fn deref(&self) -> &Given<LoadArgs> {
        &self.load
    }
}

impl<D: Decides> Args for LoadWithout<D> {
    fn group_id() -> Option<Id> {
        Given::<LoadArgs>::group_id()
    }

    fn augment_args(command: Command) -> Command {
        Given::<LoadArgs>::augment_args(command).mut_args(|flag| {
            let decided = flag.get_long().is_some_and(|long| D::FLAGS.contains(&long));
            if decided {
                flag.hide(true).env(None::<&str>)
            } else {
                flag
            }
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<D: Decides> FromArgMatches for LoadWithout<D> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Self::from_arg_matches_mut(&mut matches.clone())
    }

    fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self {
            load: Given::from_arg_matches_mut(matches)?,
            decides: PhantomData,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
