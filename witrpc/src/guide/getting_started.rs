//! From an empty folder to two programs that talk.
//!
//! # The service
//!
//! ```sh
//! cargo new --lib words && cd words
//! cargo add witrpc
//! ```
//!
//! The trait says what can be called. Both programs use it, so it goes to the library, with
//! `#[wit_service]` on it. An ordinary type implements it. `src/lib.rs`:
//!
//! ```
//! use witrpc::wit_service;
//!
//! /// Counts and compares words.
//! #[wit_service]
//! pub trait Words {
//!     /// How many words a text has.
//!     fn count(&self, text: &str) -> u64;
//!
//!     /// The longest word, if there is one.
//!     fn longest(&self, text: &str) -> Option<String>;
//! }
//!
//! pub struct Reader;
//!
//! impl Words for Reader {
//!     fn count(&self, text: &str) -> u64 {
//!         text.split_whitespace().count() as u64
//!     }
//!
//!     fn longest(&self, text: &str) -> Option<String> {
//!         text.split_whitespace().max_by_key(|word| word.len()).map(str::to_owned)
//!     }
//! }
//! ```
//!
//! From `trait Words` the attribute makes `WordsServer`, which serves any type that implements the
//! trait. It also makes two clients: `WordsClient`, whose methods block, and `WordsAsyncClient`,
//! whose methods are `async`. If a type of yours has one of these names, an option renames the
//! generated type: `#[wit_service(client = WordsCaller)]`.
//!
//! Methods take `&self`, because calls run at the same time: keep mutable state in a `Mutex` or an
//! atomic. Arguments are owned values, or `&str`, `&[T]`, `&Path`, `&OsStr`, `&CStr` and `&T`; results
//! are owned. Your own types derive serde's `Serialize` and `Deserialize` (`cargo add serde -F derive`).
//! A type that cannot cross is a compile error that says what to write instead.
//! [`wit_service`](macro@crate::wit_service) lists all options.
//!
//! # The server
//!
//! `src/bin/server.rs`, which begins with `use words::{Reader, WordsServer};`:
//!
//! ```no_run
//! # use witrpc::wit_service;
//! # #[wit_service]
//! # pub trait Words {
//! #     fn count(&self, text: &str) -> u64;
//! # }
//! # struct Reader;
//! # impl Words for Reader {
//! #     fn count(&self, text: &str) -> u64 {
//! #         text.len() as u64
//! #     }
//! # }
//! use witrpc::{BindError, WitServer};
//!
//! fn main() -> Result<(), BindError> {
//!     let server = WitServer::builder()
//!         .listen("words")
//!         .service(WordsServer::new(Reader))
//!         .start()?;
//!     eprintln!("{}", server.wait());
//!     Ok(())
//! }
//! ```
//!
//! The server runs on its own threads as soon as it has started. [`wait`](crate::WitServer::wait)
//! keeps `main` from ending, and returns the reason why the server has ended. It returns at once in
//! a daemon that started its server before it forked. Dropping the server stops it.
//!
//! Only one server holds a name at a time: a second server gets
//! [`BindError::NameInUse`](crate::BindError::NameInUse) at once. The next server of the name
//! takes over what a killed server leaves, after Ctrl-C too.
//!
//! # The client
//!
//! `src/bin/client.rs`, which begins with `use words::WordsClient;`:
//!
//! ```no_run
//! # use witrpc::wit_service;
//! # #[wit_service]
//! # pub trait Words {
//! #     fn count(&self, text: &str) -> u64;
//! #     fn longest(&self, text: &str) -> Option<String>;
//! # }
//! use std::time::Duration;
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let words = WordsClient::builder("words")
//!         .wait_for_server(Duration::from_secs(5))
//!         .connect()?;
//!     println!("{} words", words.count("the quick brown fox")?);
//!     println!("the longest is {:?}", words.longest("the quick brown fox")?);
//!     Ok(())
//! }
//! ```
//!
//! `WordsClient::connect("words")` does the same for a server that already runs. With
//! [`wait_for_server`](crate::ClientBuilder::wait_for_server) you can start the two programs in any
//! order.
//!
//! ```sh
//! cargo run --bin server &
//! cargo run --bin client
//! ```
//!
//! Every method of a client returns a `Result`, even where the trait's method does not: the other
//! process may have died. [`errors`](super::errors) explains the errors. A client can be cloned and
//! used by many threads at once.
//!
//! # Names
//!
//! A name is 1 to 64 bytes, and belongs to one user: two users can both serve `words` and never
//! meet. [`servers`](crate::servers()) lists the names that are served now. To keep other programs
//! from finding the server, use [`Mmf::unguessable`](crate::Mmf::unguessable) and pass its name to
//! the client. [`Mmf`](crate::Mmf) also sets limits, such as the memory of a connection:
//!
//! ```
//! # use witrpc::wit_service;
//! # #[wit_service]
//! # pub trait Words {
//! #     fn count(&self, text: &str) -> u64;
//! # }
//! # struct Reader;
//! # impl Words for Reader {
//! #     fn count(&self, text: &str) -> u64 {
//! #         text.split_whitespace().count() as u64
//! #     }
//! # }
//! use witrpc::{Mmf, WitServer};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let place = Mmf::unguessable().size(4 << 20);
//! let server =
//!     WitServer::builder().listen(place.clone()).service(WordsServer::new(Reader)).start()?;
//!
//! let words = WordsClient::connect(place.name())?;
//! assert_eq!(words.count("all good things")?, 3);
//! # Ok(())
//! # }
//! ```
//!
//! # A trait that exists
//!
//! A trait that was not written for two processes often becomes a service by one line. It says what clients
//! cannot have, and for which types a generic trait is served:
//!
//! ```
//! use std::io;
//! use witrpc::wit_service;
//!
//! #[wit_service]
//! pub trait Health {
//!     fn check(&self) -> bool;
//! }
//!
//! #[wit_service(types(Key = String), local(NAME, attach), extends(Health), forward)]
//! pub trait Store<Key>: Health + Send + Sync {
//!     const NAME: &'static str = "store";
//!     fn size(&self, key: &Key, within: Option<&str>) -> io::Result<u64>;
//!     fn attach(&self, done: Box<dyn FnOnce() + Send>) {
//!         done();
//!     }
//! }
//!
//! struct Memory;
//!
//! impl Health for Memory {
//!     fn check(&self) -> bool {
//!         true
//!     }
//! }
//!
//! impl Store<String> for Memory {
//!     fn size(&self, key: &String, within: Option<&str>) -> io::Result<u64> {
//!         within.map(|_| key.len() as u64).ok_or(io::ErrorKind::NotFound.into())
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = StoreClient::in_process(Memory);
//! assert_eq!(store.size(&"key".to_owned(), Some("all"))?, 3);
//! assert!(store.size(&"key".to_owned(), None).is_err());
//! assert!(store.as_health()?.check()?);
//! # Ok(())
//! # }
//! ```
//!
//! `forward` implements the trait for `&T`, `Box<T>` and `Arc<T>` too. [`wit_service`](macro@crate::wit_service)
//! lists all options.
//!
//! # Where to go from here
//!
//! - Calls that may fail for the service's own reasons: [`errors`](super::errors).
//! - A program on tokio, or handlers that wait: [`asynchronous`](super::asynchronous).
//! - Long messages, many clients: [`choosing_size`](super::choosing_size).
