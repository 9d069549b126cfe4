//! Values that must not be seen.
//!
//! A secret never shows itself: `Debug` and `Display` print `***`, it is not serialised, and its memory is cleared when dropped.
//! What reaches a person or a file passes a [`Redactor`] that knows every secret of the run.
