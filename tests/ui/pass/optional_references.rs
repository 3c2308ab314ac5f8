//! An argument that may be lent: `Option<&T>`, in calls and events.

use std::path::Path;

use serde::{Deserialize, Serialize};
use witrpc::{Codec, WitServer, wit_service};

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Filter {
    words: Vec<String>,
}

#[wit_service]
trait Search {
    fn count(&self, text: Option<&str>, within: Option<&Path>) -> usize;
    async fn find(&self, filter: Option<&Filter>, numbers: Option<&[u16]>) -> Option<Filter>;
    #[wit(event)]
    fn found(&self, place: Option<&Path>, filter: Option<&Filter>);
}

struct Index(SearchEvents);

impl Search for Index {
    fn count(&self, text: Option<&str>, within: Option<&Path>) -> usize {
        let filter = Filter { words: Vec::new() };
        let _ = self.0.found(within, text.map(|_| &filter));
        text.map_or(0, str::len)
            + within.map_or(0, |path| path.components().count())
    }

    async fn find(&self, filter: Option<&Filter>, numbers: Option<&[u16]>) -> Option<Filter> {
        let mut filter = filter.cloned()?;
        filter.words.extend(numbers?.iter().map(u16::to_string));
        Some(filter)
    }
}

fn main() {
    let filter = Filter { words: vec!["a".to_owned()] };
    for codec in [Codec::Postcard, Codec::Json, Codec::MessagePack] {
        let place = witrpc::Mmf::unguessable();
        let service = SearchServer::with_events(Index);
        let _server = WitServer::builder().listen(place.clone()).service(service).start().unwrap();
        let client = SearchClient::builder(place).codec(codec).connect().unwrap();
        let mut found = client.found().unwrap();
        assert_eq!(client.count(None, None), Ok(0));
        let path = Path::new("x/y");
        assert_eq!(client.count(Some("abc"), Some(path)), Ok(5));
        let first = found.next().unwrap().unwrap();
        assert_eq!((first.place, first.filter), (None, None));
        let second = found.next().unwrap().unwrap();
        assert_eq!(second.place.as_deref(), Some(path));
        assert_eq!(second.filter, Some(Filter { words: Vec::new() }));
        let both = client.find(Some(&filter), Some(&[1, 300])).unwrap().unwrap();
        assert_eq!(both.words, ["a", "1", "300"]);
        assert_eq!(client.find(None, Some(&[1])), Ok(None));
    }
}

/// The future of an async client holds what it was lent.
#[expect(dead_code)]
async fn of_an_async_client(client: &SearchAsyncClient, text: String) -> usize {
    client.count(Some(&text), None).await.unwrap()
}
