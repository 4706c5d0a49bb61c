use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// The header that carries it, both ways.
pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// The longest that is taken over.
const LONGEST: usize = 64;

/// The client's name for a request, or a new one where there is none that can be put in a log as it is.
pub fn of(headers: &HeaderMap) -> HeaderValue {
    let mut named = headers.get_all(&HEADER).iter();
    match (named.next(), named.next()) {
        (Some(id), None) if is_sane(id.as_bytes()) => id.clone(),
        _ => HeaderValue::from_str(&format!("{:032x}", fastrand::u128(..))).expect("digits"),
    }
}

fn is_sane(id: &[u8]) -> bool {
    let may = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    (1..=LONGEST).contains(&id.len()) && id.iter().all(may)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sent: &[&str], is_taken_over: bool) {
        let mut headers = HeaderMap::new();
        for id in sent {
            headers.append(HEADER, HeaderValue::from_str(id).unwrap());
        }
        let id = of(&headers);
        assert!(is_sane(id.as_bytes()), "{id:?}");
        assert_eq!(sent.contains(&id.to_str().unwrap()), is_taken_over, "{sent:?}");
    }

    #[test]
    fn only_a_harmless_id_is_taken_over() {
        check(&["4f1c-22.a_B"], true);
        check(&[&"x".repeat(LONGEST)], true);
        check(&[], false);
        check(&[""], false);
        check(&[&"x".repeat(LONGEST + 1)], false);
        check(&["a b"], false);
        check(&["a\",level=\"info"], false);
        check(&["one", "two"], false);
    }

    #[test]
    fn made_ids_differ() {
        assert_ne!(of(&HeaderMap::new()), of(&HeaderMap::new()));
    }
}
