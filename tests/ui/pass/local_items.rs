//! What is marked `local` stays in the trait as it is, and clients do not have it.

#[witrpc::wit_service]
trait Terminal {
    #[wit(local)]
    const NAME: &'static str;
    #[wit(local)]
    type State: Default;

    fn write(&self, text: &str) -> usize;

    /// Takes what cannot cross.
    #[wit(local)]
    fn attach(&mut self, quit: Box<dyn Fn() + Send>, state: Self::State);
    #[wit(local)]
    fn largest<T: Ord>(items: &mut [T]) -> Option<&T> {
        items.sort();
        items.last()
    }
    #[wit(local)]
    #[cfg(windows)]
    fn handle(&self) -> *const u8;
    /// A method of clients may have the name of none of these.
    fn attached(&self) -> bool;
}

#[derive(Default)]
struct Screen(bool);

impl Terminal for Screen {
    const NAME: &'static str = "screen";
    type State = ();

    fn write(&self, text: &str) -> usize {
        text.len()
    }

    fn attach(&mut self, quit: Box<dyn Fn() + Send>, (): ()) {
        quit();
        self.0 = true;
    }

    fn attached(&self) -> bool {
        self.0
    }
}

/// Has the name of a local method.
trait Attach {
    fn attach(&self) -> &'static str;
}

impl Attach for TerminalClient {
    fn attach(&self) -> &'static str {
        Screen::NAME
    }
}

fn main() {
    let mut screen = Screen::default();
    screen.attach(Box::new(|| {}), <Screen as Terminal>::State::default());
    assert_eq!(Screen::largest(&mut [1, 3, 2]), Some(&3));
    let client = TerminalClient::in_process(screen);
    assert_eq!((client.write("abc"), client.attached()), (Ok(3), Ok(true)));
    assert_eq!(client.attach(), "screen");
}
