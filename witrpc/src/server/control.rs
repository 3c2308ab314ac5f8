//! Requests that are not calls: they keep streams and subscriptions going.

use std::sync::Arc;

use witrpc_transport::Payload;

use crate::call::server::arguments::BadArguments;
use crate::call::server::call::{RequestContext, Service};
use crate::codec::{Decoder, OpenBody};
use crate::event::server::client::ClientEvents;
use crate::rt::panics::catch;
use crate::stream::protocol::MAX_CLOSED_AT_ONCE;
use crate::stream::server::ServerStreams;
use crate::tag::{Operation, RequestTag};

/// Serves one such request.
pub fn serve(
    line: &RequestContext<'_>,
    tag: RequestTag,
    services: &[Arc<dyn Service>],
    payload: &mut Payload,
) {
    let len = payload.len();
    let body = OpenBody::new(payload, tag.raw, line.codec).map_err(BadArguments::from);
    // User code decodes the items, and may panic.
    let served = catch(|| {
        let body = body?;
        let mut decoder = body.decoder();
        match tag.operation {
            Operation::Subscribe => {
                subscribe(line, services.get(usize::from(tag.service)), tag, &mut decoder)
            }
            Operation::PullEvents => {
                decoder.finish()?;
                ClientEvents::of(line.peer.session()).pull(line.asked());
                Ok(())
            }
            Operation::PullNotices => {
                decoder.finish()?;
                ServerStreams::of(line.peer.session()).notices.pull(line.asked());
                Ok(())
            }
            Operation::Close => close(line, &mut decoder),
            _ => stream(line, tag.operation, len, &mut decoder),
        }
    });
    match served {
        Ok(Ok(())) => {}
        Ok(Err(bad)) => line.reply().bad_request(bad.message()),
        Err(message) => line.reply().panicked(&message),
    }
}

fn stream(
    line: &RequestContext<'_>,
    operation: Operation,
    len: usize,
    decoder: &mut Decoder<'_>,
) -> Result<(), BadArguments> {
    let number = decoder.number("stream")?;
    let server_streams = ServerStreams::of(line.peer.session());
    if operation == Operation::Push {
        server_streams.push(number, line.asked(), len, decoder);
        return Ok(());
    }
    decoder.finish()?;
    match operation {
        Operation::GiveUp => server_streams.give_up(number, line.asked()),
        _ => server_streams.pull(number, line.asked()),
    }
    Ok(())
}

fn close(line: &RequestContext<'_>, decoder: &mut Decoder<'_>) -> Result<(), BadArguments> {
    let count = decoder.number("count")?;
    if count > MAX_CLOSED_AT_ONCE as u64 {
        let message = format!("{count} streams to close, at most {MAX_CLOSED_AT_ONCE} can be");
        line.reply().bad_request(&message);
        return Ok(());
    }
    let numbers: Vec<_> = (0..count).map(|_| decoder.number("stream")).collect::<Result<_, _>>()?;
    decoder.finish()?;
    let server_streams = ServerStreams::of(line.peer.session());
    numbers.into_iter().for_each(|number| server_streams.close(number));
    line.reply().done();
    Ok(())
}

fn subscribe(
    line: &RequestContext<'_>,
    service: Option<&Arc<dyn Service>>,
    tag: RequestTag,
    decoder: &mut Decoder<'_>,
) -> Result<(), BadArguments> {
    let version = decoder.number("version")?;
    let wanted = decoder.list("events")?;
    decoder.finish()?;
    let Some(service) = service else {
        line.reply().unknown_method();
        return Ok(());
    };
    let events = service.descriptor().events;
    if wanted.len() > events.len() {
        let message = format!("it has {} events, not {}", events.len(), wanted.len());
        line.reply().bad_request(&message);
        return Ok(());
    }
    if let Some(unknown) = wanted.iter().find(|event| events.get(usize::from(**event)).is_none()) {
        let message = format!("the service has no event of number {unknown}");
        line.reply().bad_request(&message);
        return Ok(());
    }
    let session = ClientEvents::of(line.peer.session());
    let policies = |event: u16| events[usize::from(event)].overflow;
    session.subscribe(tag.service, version, &wanted, policies);
    if let Some(hub) = service.events() {
        hub.add(line.peer.client().id, tag.service, session);
    }
    line.reply().done();
    Ok(())
}
