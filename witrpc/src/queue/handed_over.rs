//! Messages that are handed over within one process, without a copy.

use witrpc_transport::{Body, Leasing, Outgoing, Payload, Request, SMALL_LEN, Ticket};

use super::transferred_lease::taken_along;

/// Returns the request for a message with this ticket.
pub fn to_request(ticket: Ticket, message: Outgoing<'_>) -> Request {
    let Outgoing { tag, body, deadline, .. } = message;
    Request::new(ticket, tag, receive(body), deadline)
}

/// Takes the bytes of a message from its sender.
pub fn receive(body: Body<'_>) -> Payload {
    if let Body::Leasing { body, leases } = body {
        let leases = leases.iter().map(taken_along).collect();
        return Payload::Leasing(Box::new(Leasing::new(receive(*body), leases)));
    }
    let len = body.len();
    match u8::try_from(len) {
        Ok(small) if len <= SMALL_LEN => {
            let mut bytes = [0; SMALL_LEN];
            body.write_at(0, &mut bytes[..len]);
            Payload::Small { bytes, len: small }
        }
        _ => {
            let mut bytes = vec![0; len];
            body.write_at(0, &mut bytes);
            Payload::Whole(bytes)
        }
    }
}
