use super::*;
use bowline_net::testing::headers;
use proptest::prelude::*;

// Made by an independent implementation from the description of the scheme, with keys and values
// of our own.
const KEY: &str = "example-signing-key";
const NOW_S: i64 = 1_790_000_000;
const URL: &str = "https://hooks.example.com/hooks/bird/main?b=2&a=x%20y";
const BODY: &str = "{\"type\":\"message.created\",\"text\":\"Grüße & <b>\"}";
const VALID_256: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJNZXNzYWdlQmlyZCIsIm5iZiI6MTc5MDAwMDAwMCwiZXhwIjoxNzkwMDAwMDYwLCJqdGkiOiJjYWxsLTEiLCJ1cmxfaGFzaCI6IjdjMTc5NjM4YTYzYWFiYzBmYmFmMTVkMmM3Y2MzYTQ1MjgwNTJlYzNkYzdkNDcwZDdjNDZjOWE0NzU1MzdmNmYiLCJwYXlsb2FkX2hhc2giOiI3ZDc0YTNiODMwODE2YThlNWJkMTM1MDQ1YzgxYWVhOGJkMWI5OTUwYWY2N2Y4YjhlY2JjMjYzYmU3YjlmZmRiIn0.HXWMZTt5cztT3FyJXLVI1wLZ3_LyB9pdb0ssZ7JL_cM";
const VALID_384: &str = "eyJhbGciOiJIUzM4NCIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJNZXNzYWdlQmlyZCIsIm5iZiI6MTc5MDAwMDAwMCwiZXhwIjoxNzkwMDAwMDYwLCJqdGkiOiJjYWxsLTEiLCJ1cmxfaGFzaCI6IjdjMTc5NjM4YTYzYWFiYzBmYmFmMTVkMmM3Y2MzYTQ1MjgwNTJlYzNkYzdkNDcwZDdjNDZjOWE0NzU1MzdmNmYiLCJwYXlsb2FkX2hhc2giOiI3ZDc0YTNiODMwODE2YThlNWJkMTM1MDQ1YzgxYWVhOGJkMWI5OTUwYWY2N2Y4YjhlY2JjMjYzYmU3YjlmZmRiIn0.eBbRcxcA9dxPgqGDPOmI8sNMOQd6Pp_46aq_EGlI0eNyUXBcbLV3ofPgt_psjYSV";
const VALID_512: &str = "eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJNZXNzYWdlQmlyZCIsIm5iZiI6MTc5MDAwMDAwMCwiZXhwIjoxNzkwMDAwMDYwLCJqdGkiOiJjYWxsLTEiLCJ1cmxfaGFzaCI6IjdjMTc5NjM4YTYzYWFiYzBmYmFmMTVkMmM3Y2MzYTQ1MjgwNTJlYzNkYzdkNDcwZDdjNDZjOWE0NzU1MzdmNmYiLCJwYXlsb2FkX2hhc2giOiI3ZDc0YTNiODMwODE2YThlNWJkMTM1MDQ1YzgxYWVhOGJkMWI5OTUwYWY2N2Y4YjhlY2JjMjYzYmU3YjlmZmRiIn0.lbddXBTPu7UCME9BZOX7bBPyuB3NRZVvWF7-IzVR20PFLWyCfFnN37NrAK_CCQF67wa8Aji0HT-bq2kkGZenlQ";
const NO_BODY: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJNZXNzYWdlQmlyZCIsIm5iZiI6MTc5MDAwMDAwMCwiZXhwIjoxNzkwMDAwMDYwLCJqdGkiOiJjYWxsLTEiLCJ1cmxfaGFzaCI6IjdjMTc5NjM4YTYzYWFiYzBmYmFmMTVkMmM3Y2MzYTQ1MjgwNTJlYzNkYzdkNDcwZDdjNDZjOWE0NzU1MzdmNmYifQ.NNjDgzxXaFyO7c4bTsBb0pv7lPYQjNXun4nFHAdMguQ";
const NO_JTI: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJNZXNzYWdlQmlyZCIsIm5iZiI6MTc5MDAwMDAwMCwiZXhwIjoxNzkwMDAwMDYwLCJ1cmxfaGFzaCI6IjdjMTc5NjM4YTYzYWFiYzBmYmFmMTVkMmM3Y2MzYTQ1MjgwNTJlYzNkYzdkNDcwZDdjNDZjOWE0NzU1MzdmNmYiLCJwYXlsb2FkX2hhc2giOiI3ZDc0YTNiODMwODE2YThlNWJkMTM1MDQ1YzgxYWVhOGJkMWI5OTUwYWY2N2Y4YjhlY2JjMjYzYmU3YjlmZmRiIn0.q7Kukgff3R89riJEiIlu_iwS-r9-G74CaMnpKFcvUIs";
const OTHER_KEY: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJNZXNzYWdlQmlyZCIsIm5iZiI6MTc5MDAwMDAwMCwiZXhwIjoxNzkwMDAwMDYwLCJqdGkiOiJjYWxsLTEiLCJ1cmxfaGFzaCI6IjdjMTc5NjM4YTYzYWFiYzBmYmFmMTVkMmM3Y2MzYTQ1MjgwNTJlYzNkYzdkNDcwZDdjNDZjOWE0NzU1MzdmNmYiLCJwYXlsb2FkX2hhc2giOiI3ZDc0YTNiODMwODE2YThlNWJkMTM1MDQ1YzgxYWVhOGJkMWI5OTUwYWY2N2Y4YjhlY2JjMjYzYmU3YjlmZmRiIn0.EWo3lKeb18lVckbkPYykOkjmAFxJ-joJKf0T6fasRw0";
const EMPTY_KEY: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJNZXNzYWdlQmlyZCIsIm5iZiI6MTc5MDAwMDAwMCwiZXhwIjoxNzkwMDAwMDYwLCJqdGkiOiJjYWxsLTEiLCJ1cmxfaGFzaCI6IjdjMTc5NjM4YTYzYWFiYzBmYmFmMTVkMmM3Y2MzYTQ1MjgwNTJlYzNkYzdkNDcwZDdjNDZjOWE0NzU1MzdmNmYiLCJwYXlsb2FkX2hhc2giOiI3ZDc0YTNiODMwODE2YThlNWJkMTM1MDQ1YzgxYWVhOGJkMWI5OTUwYWY2N2Y4YjhlY2JjMjYzYmU3YjlmZmRiIn0.KaIWZeyOB4siSw_EDDneHB9Wfk82B_77-4xM_OBgDh8";
const ALG_NONE: &str = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJpc3MiOiJNZXNzYWdlQmlyZCIsIm5iZiI6MTc5MDAwMDAwMCwiZXhwIjoxNzkwMDAwMDYwLCJqdGkiOiJjYWxsLTEiLCJ1cmxfaGFzaCI6IjdjMTc5NjM4YTYzYWFiYzBmYmFmMTVkMmM3Y2MzYTQ1MjgwNTJlYzNkYzdkNDcwZDdjNDZjOWE0NzU1MzdmNmYiLCJwYXlsb2FkX2hhc2giOiI3ZDc0YTNiODMwODE2YThlNWJkMTM1MDQ1YzgxYWVhOGJkMWI5OTUwYWY2N2Y4YjhlY2JjMjYzYmU3YjlmZmRiIn0.";
const ALG_LOWER: &str = "eyJhbGciOiJoczI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJNZXNzYWdlQmlyZCIsIm5iZiI6MTc5MDAwMDAwMCwiZXhwIjoxNzkwMDAwMDYwLCJqdGkiOiJjYWxsLTEiLCJ1cmxfaGFzaCI6IjdjMTc5NjM4YTYzYWFiYzBmYmFmMTVkMmM3Y2MzYTQ1MjgwNTJlYzNkYzdkNDcwZDdjNDZjOWE0NzU1MzdmNmYiLCJwYXlsb2FkX2hhc2giOiI3ZDc0YTNiODMwODE2YThlNWJkMTM1MDQ1YzgxYWVhOGJkMWI5OTUwYWY2N2Y4YjhlY2JjMjYzYmU3YjlmZmRiIn0.0T4q11nIBr1SdvZr9fn3bQsj4W5j9qSTg22funy-YUM";
const CRITICAL: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCIsImNyaXQiOlsiYjY0Il0sImI2NCI6ZmFsc2V9.eyJpc3MiOiJNZXNzYWdlQmlyZCIsIm5iZiI6MTc5MDAwMDAwMCwiZXhwIjoxNzkwMDAwMDYwLCJqdGkiOiJjYWxsLTEiLCJ1cmxfaGFzaCI6IjdjMTc5NjM4YTYzYWFiYzBmYmFmMTVkMmM3Y2MzYTQ1MjgwNTJlYzNkYzdkNDcwZDdjNDZjOWE0NzU1MzdmNmYiLCJwYXlsb2FkX2hhc2giOiI3ZDc0YTNiODMwODE2YThlNWJkMTM1MDQ1YzgxYWVhOGJkMWI5OTUwYWY2N2Y4YjhlY2JjMjYzYmU3YjlmZmRiIn0.SWplBajcHr_nfjKQE4fbMdViHG34ZUjtQFq2REJDsc8";
const OTHER_ISSUER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJFeGFtcGxlIiwibmJmIjoxNzkwMDAwMDAwLCJleHAiOjE3OTAwMDAwNjAsImp0aSI6ImNhbGwtMSIsInVybF9oYXNoIjoiN2MxNzk2MzhhNjNhYWJjMGZiYWYxNWQyYzdjYzNhNDUyODA1MmVjM2RjN2Q0NzBkN2M0NmM5YTQ3NTUzN2Y2ZiIsInBheWxvYWRfaGFzaCI6IjdkNzRhM2I4MzA4MTZhOGU1YmQxMzUwNDVjODFhZWE4YmQxYjk5NTBhZjY3ZjhiOGVjYmMyNjNiZTdiOWZmZGIifQ.-YpIPLdtXwh08ABbrRTy9jvTWKSUjzZgZS2rUtUxWjg";
const NO_ISSUER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJuYmYiOjE3OTAwMDAwMDAsImV4cCI6MTc5MDAwMDA2MCwianRpIjoiY2FsbC0xIiwidXJsX2hhc2giOiI3YzE3OTYzOGE2M2FhYmMwZmJhZjE1ZDJjN2NjM2E0NTI4MDUyZWMzZGM3ZDQ3MGQ3YzQ2YzlhNDc1NTM3ZjZmIiwicGF5bG9hZF9oYXNoIjoiN2Q3NGEzYjgzMDgxNmE4ZTViZDEzNTA0NWM4MWFlYThiZDFiOTk1MGFmNjdmOGI4ZWNiYzI2M2JlN2I5ZmZkYiJ9.W2rs8bRZ1QRt30duTg51i5yMieAWDqbYDowxZdmcAkI";
const NO_NBF: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJNZXNzYWdlQmlyZCIsImV4cCI6MTc5MDAwMDA2MCwianRpIjoiY2FsbC0xIiwidXJsX2hhc2giOiI3YzE3OTYzOGE2M2FhYmMwZmJhZjE1ZDJjN2NjM2E0NTI4MDUyZWMzZGM3ZDQ3MGQ3YzQ2YzlhNDc1NTM3ZjZmIiwicGF5bG9hZF9oYXNoIjoiN2Q3NGEzYjgzMDgxNmE4ZTViZDEzNTA0NWM4MWFlYThiZDFiOTk1MGFmNjdmOGI4ZWNiYzI2M2JlN2I5ZmZkYiJ9._bZPO9jq1sve8iBGTCvavQVdmj5cg5v-kvXYgQOUUOY";
const NO_EXP: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJNZXNzYWdlQmlyZCIsIm5iZiI6MTc5MDAwMDAwMCwianRpIjoiY2FsbC0xIiwidXJsX2hhc2giOiI3YzE3OTYzOGE2M2FhYmMwZmJhZjE1ZDJjN2NjM2E0NTI4MDUyZWMzZGM3ZDQ3MGQ3YzQ2YzlhNDc1NTM3ZjZmIiwicGF5bG9hZF9oYXNoIjoiN2Q3NGEzYjgzMDgxNmE4ZTViZDEzNTA0NWM4MWFlYThiZDFiOTk1MGFmNjdmOGI4ZWNiYzI2M2JlN2I5ZmZkYiJ9.fkSLvvLeqiOYSZ9bGtd-Dlm-v53JY_XquEMCQTOOE-o";
const OTHER_URL: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJNZXNzYWdlQmlyZCIsIm5iZiI6MTc5MDAwMDAwMCwiZXhwIjoxNzkwMDAwMDYwLCJqdGkiOiJjYWxsLTEiLCJ1cmxfaGFzaCI6IjE5Y2M3YTBlZDIzNzM1ZTkzZWZmZDU5NDZkODY0YzA1ZTZlOWQ1M2ZmMGYzMjlkMGFhNTQ4YTVlMjgyMTA0ZmQiLCJwYXlsb2FkX2hhc2giOiI3ZDc0YTNiODMwODE2YThlNWJkMTM1MDQ1YzgxYWVhOGJkMWI5OTUwYWY2N2Y4YjhlY2JjMjYzYmU3YjlmZmRiIn0.CkFcBktdBnils2kVsOTwFw2ovPGq8UcgETyf6cC8MBk";
const NO_URL: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJNZXNzYWdlQmlyZCIsIm5iZiI6MTc5MDAwMDAwMCwiZXhwIjoxNzkwMDAwMDYwLCJqdGkiOiJjYWxsLTEiLCJwYXlsb2FkX2hhc2giOiI3ZDc0YTNiODMwODE2YThlNWJkMTM1MDQ1YzgxYWVhOGJkMWI5OTUwYWY2N2Y4YjhlY2JjMjYzYmU3YjlmZmRiIn0.0927pSfVpQpFQyncAEjbR0ytT8xLQMqyJZgo2Iq9vNo";
const OTHER_BODY: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJNZXNzYWdlQmlyZCIsIm5iZiI6MTc5MDAwMDAwMCwiZXhwIjoxNzkwMDAwMDYwLCJqdGkiOiJjYWxsLTEiLCJ1cmxfaGFzaCI6IjdjMTc5NjM4YTYzYWFiYzBmYmFmMTVkMmM3Y2MzYTQ1MjgwNTJlYzNkYzdkNDcwZDdjNDZjOWE0NzU1MzdmNmYiLCJwYXlsb2FkX2hhc2giOiI0NDEzNmZhMzU1YjM2NzhhMTE0NmFkMTZmN2U4NjQ5ZTk0ZmI0ZmMyMWZlNzdlODMxMGMwNjBmNjFjYWFmZjhhIn0.ys6cSZzSfBceyNEVuyJq2vIX8denI29atoXKiCRHAlg";
const FRACTIONS: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJNZXNzYWdlQmlyZCIsIm5iZiI6MTc5MDAwMDAwMC41LCJleHAiOjE3OTAwMDAwNjAuNSwianRpIjoiY2FsbC0xIiwidXJsX2hhc2giOiI3YzE3OTYzOGE2M2FhYmMwZmJhZjE1ZDJjN2NjM2E0NTI4MDUyZWMzZGM3ZDQ3MGQ3YzQ2YzlhNDc1NTM3ZjZmIiwicGF5bG9hZF9oYXNoIjoiN2Q3NGEzYjgzMDgxNmE4ZTViZDEzNTA0NWM4MWFlYThiZDFiOTk1MGFmNjdmOGI4ZWNiYzI2M2JlN2I5ZmZkYiJ9.K8UlEe3DBVJUHzOwV0whRlaCbwXl7Olqvejf2gzdl1g";
const OLD: &str = "09oSu465ZE1x07ig7IUhQK7RhvOVyH08zHa4UIXEdKQ=";
const OLD_NO_QUERY: &str = "p5qjnecBC7oYEq4Ssc6gKpgFW9AlttbSs7BfmgtJPCY=";
const OLD_NO_BODY: &str = "2JI2eZWqg8Kw0ux5pEhi4XkJ4YaL05q4zBvYDmFqiFc=";
const OLD_NEITHER: &str = "UZ9etCfNB7E2Hx+VI8qNTWfKe4APABwgNCAz5dx9juE=";

fn keys(keys: &[&str]) -> Vec<SecretString> {
    keys.iter().map(|key| SecretString::from(*key)).collect()
}

fn check(
    with: &[&str],
    pairs: &[(&str, &str)],
    url: &str,
    raw: &str,
    now_unix_s: i64,
) -> Result<Verified, Refusal> {
    let call = WebhookCall {
        headers: &headers(pairs),
        public_url: url,
        raw: raw.as_bytes(),
        now_unix_s,
    };
    verify(&keys(with), &call)
}

fn token(token: &str, raw: &str, now_unix_s: i64) -> Result<Option<String>, Refusal> {
    let verified = check(&[KEY], &[(JWT_HEADER, token)], URL, raw, now_unix_s)?;
    Ok(verified.call_id.map(|call| call.id))
}

#[test]
fn tokens() {
    let jti = || Ok(Some("call-1".to_owned()));
    for (name, given, raw, now_s, want) in [
        ("HS256", VALID_256, BODY, NOW_S, jti()),
        ("HS384", VALID_384, BODY, NOW_S, jti()),
        ("HS512", VALID_512, BODY, NOW_S, jti()),
        ("no body", NO_BODY, "", NOW_S, jti()),
        ("no jti", NO_JTI, BODY, NOW_S, Ok(None)),
        ("fractions", FRACTIONS, BODY, NOW_S, jti()),
        ("our clock is behind", VALID_256, BODY, NOW_S - 5, jti()),
        (
            "too early",
            VALID_256,
            BODY,
            NOW_S - 6,
            Err(Refusal::TooEarly),
        ),
        ("last second", VALID_256, BODY, NOW_S + 65, jti()),
        (
            "expired",
            VALID_256,
            BODY,
            NOW_S + 66,
            Err(Refusal::Expired),
        ),
        ("other key", OTHER_KEY, BODY, NOW_S, Err(Refusal::WrongKey)),
        ("empty key", EMPTY_KEY, BODY, NOW_S, Err(Refusal::WrongKey)),
        ("none", ALG_NONE, BODY, NOW_S, Err(Refusal::Algorithm)),
        ("unknown", ALG_LOWER, BODY, NOW_S, Err(Refusal::Algorithm)),
        ("critical", CRITICAL, BODY, NOW_S, Err(Refusal::Algorithm)),
        (
            "issuer",
            OTHER_ISSUER,
            BODY,
            NOW_S,
            Err(Refusal::WrongIssuer),
        ),
        (
            "no issuer",
            NO_ISSUER,
            BODY,
            NOW_S,
            Err(Refusal::WrongIssuer),
        ),
        (
            "no nbf",
            NO_NBF,
            BODY,
            NOW_S,
            Err(Refusal::Unreadable("it lacks nbf")),
        ),
        (
            "no exp",
            NO_EXP,
            BODY,
            NOW_S,
            Err(Refusal::Unreadable("it lacks exp")),
        ),
        ("url", OTHER_URL, BODY, NOW_S, Err(Refusal::WrongUrl)),
        ("no url", NO_URL, BODY, NOW_S, Err(Refusal::WrongUrl)),
        ("body", OTHER_BODY, BODY, NOW_S, Err(Refusal::WrongBody)),
        (
            "changed body",
            VALID_256,
            "{}",
            NOW_S,
            Err(Refusal::WrongBody),
        ),
        (
            "hash without body",
            VALID_256,
            "",
            NOW_S,
            Err(Refusal::WrongBody),
        ),
        (
            "body without hash",
            NO_BODY,
            BODY,
            NOW_S,
            Err(Refusal::WrongBody),
        ),
        (
            "two parts",
            "a.b",
            BODY,
            NOW_S,
            Err(Refusal::Unreadable("it is no token")),
        ),
        (
            "four parts",
            "a.b.c.d",
            BODY,
            NOW_S,
            Err(Refusal::Unreadable("it is no token")),
        ),
    ] {
        assert_eq!(token(given, raw, now_s), want, "{name}");
    }
}

#[test]
fn a_changed_letter_breaks_a_token() {
    for at in [0, 10, 40, 100, VALID_256.len() - 2] {
        let mut changed = VALID_256.to_owned();
        let new = if &changed[at..=at] == "A" { "B" } else { "A" };
        changed.replace_range(at..=at, new);
        assert!(token(&changed, BODY, NOW_S).is_err(), "{at}");
    }
}

#[test]
fn the_address_is_part_of_a_token() {
    for url in [
        "http://hooks.example.com/hooks/bird/main?b=2&a=x%20y",
        "https://hooks.example.com/hooks/bird/main?a=x%20y&b=2",
        "https://hooks.example.com/hooks/bird/main",
        "",
    ] {
        let found = check(&[KEY], &[(JWT_HEADER, VALID_256)], url, BODY, NOW_S);
        assert_eq!(found, Err(Refusal::WrongUrl), "{url}");
    }
}

#[test]
fn the_name_of_a_call_is_kept_until_the_token_expires() {
    let found = check(&[KEY], &[(JWT_HEADER, VALID_256)], URL, BODY, NOW_S).unwrap();
    let want = CallId {
        id: "call-1".to_owned(),
        until_unix_s: NOW_S + 65,
    };
    assert_eq!(found.call_id, Some(want));
}

#[test]
fn any_live_key_verifies_and_an_empty_one_never() {
    for (with, want) in [
        (&["old", KEY][..], true),
        (&[KEY, "new"][..], true),
        (&["old"][..], false),
    ] {
        let found = check(with, &[(JWT_HEADER, VALID_256)], URL, BODY, NOW_S);
        assert_eq!(found.is_ok(), want, "{with:?}");
    }
    for with in [&[][..], &[""][..]] {
        let found = check(with, &[(JWT_HEADER, EMPTY_KEY)], URL, BODY, NOW_S);
        assert_eq!(found, Err(Refusal::NoKey));
    }
}

#[test]
fn the_older_signature() {
    let time = NOW_S.to_string();
    let bare = "https://hooks.example.com/hooks/bird/main";
    for (name, signature, url, raw, now_s, want) in [
        ("both", OLD, URL, BODY, NOW_S, Ok(())),
        ("no query", OLD_NO_QUERY, bare, BODY, NOW_S, Ok(())),
        ("no body", OLD_NO_BODY, URL, "", NOW_S, Ok(())),
        ("neither", OLD_NEITHER, bare, "", NOW_S, Ok(())),
        (
            "another host",
            OLD,
            "https://x.example.com/?a=x%20y&b=2",
            BODY,
            NOW_S,
            Ok(()),
        ),
        ("query", OLD, bare, BODY, NOW_S, Err(Refusal::WrongKey)),
        ("body", OLD, URL, "{}", NOW_S, Err(Refusal::WrongKey)),
        ("old", OLD, URL, BODY, NOW_S + 11, Err(Refusal::Expired)),
        ("early", OLD, URL, BODY, NOW_S - 11, Err(Refusal::TooEarly)),
        (
            "form",
            "%%",
            URL,
            BODY,
            NOW_S,
            Err(Refusal::Unreadable("it is not base64")),
        ),
    ] {
        let pairs = [(HMAC_HEADER, signature), (HMAC_TIME_HEADER, time.as_str())];
        let found = check(&[KEY], &pairs, url, raw, now_s).map(|_| ());
        assert_eq!(found, want, "{name}");
    }
    let other_time = [(HMAC_HEADER, OLD), (HMAC_TIME_HEADER, "1790000001")];
    let found = check(&[KEY], &other_time, URL, BODY, NOW_S);
    assert_eq!(found, Err(Refusal::WrongKey));
    assert!(check(&[KEY], &[(HMAC_HEADER, OLD)], URL, BODY, NOW_S).is_err());
}

#[test]
fn a_bad_token_is_not_saved_by_a_good_older_signature() {
    let time = NOW_S.to_string();
    let pairs = [
        (JWT_HEADER, OTHER_KEY),
        (HMAC_HEADER, OLD),
        (HMAC_TIME_HEADER, time.as_str()),
    ];
    let found = check(&[KEY], &pairs, URL, BODY, NOW_S);
    assert_eq!(found, Err(Refusal::WrongKey));
    assert_eq!(
        check(&[KEY], &[], URL, BODY, NOW_S),
        Err(Refusal::NotSigned)
    );
}

proptest! {
    #[test]
    fn no_header_panics(
        jwt in "[A-Za-z0-9_.=-]{0,80}", older in ".{0,40}", time in ".{0,20}", url in ".{0,40}",
        now in any::<i64>(),
    ) {
        let pairs = [(HMAC_HEADER, older.as_str()), (HMAC_TIME_HEADER, &time)];
        let _ = check(&[KEY], &pairs, &url, BODY, now);
        let found = check(&[KEY], &[(JWT_HEADER, jwt.as_str())], &url, BODY, now);
        prop_assert!(found.is_err());
    }
}
