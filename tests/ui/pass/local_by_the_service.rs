//! One option of the service names all that is local, in a trait that is to stay as it is.

#[witrpc::wit_service(local(NAME, State, attach, handle))]
trait Terminal: Sync {
    const NAME: &'static str;
    type State: Default;

    fn write(&self, text: &str) -> usize;
    fn attach(&mut self, quit: Box<dyn Fn() + Send>, state: &Self::State);
    /// Both of one name are.
    #[cfg(unix)]
    fn handle(&self) -> *const u8;
    #[cfg(not(unix))]
    fn handle(&self) -> *const u16;
}

struct Screen;

impl Terminal for Screen {
    const NAME: &'static str = "screen";
    type State = u8;

    fn write(&self, text: &str) -> usize {
        text.len()
    }

    fn attach(&mut self, _: Box<dyn Fn() + Send>, _: &u8) {}

    fn handle(&self) -> *const u8 {
        std::ptr::null()
    }
}

fn main() {
    let mut screen = Screen;
    screen.attach(Box::new(|| {}), &0);
    assert!(screen.handle().is_null());
    assert_eq!(TerminalClient::in_process(screen).write(Screen::NAME), Ok(6));
}
