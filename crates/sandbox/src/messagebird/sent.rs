//! What was sent besides text.

use super::model::File;
use super::sandbox::Sandbox;

impl Sandbox {
    /// The uploads that messages sent by the API carry, in the order of the messages.
    pub fn sent_files(&self) -> Vec<File> {
        self.with(|state, _| {
            let sent = state.messages.iter().filter(|message| message.by_api);
            sent.filter_map(|message| {
                let id = message.media_url()?.rsplit('/').next()?;
                state.files.get(id).cloned()
            })
            .collect()
        })
    }
}
