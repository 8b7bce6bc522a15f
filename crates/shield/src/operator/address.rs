//! `@ipMatch`, `@ipMatchFromFile`: addresses and networks.

use ipnet::IpNet;
use std::net::IpAddr;

/// The networks of a list: addresses of IPv4 and IPv6 with or without the length of a prefix, and commas between them. `None` if anything
/// else stands there. Bits behind the prefix do not count.
#[must_use]
pub fn addresses(list: &str) -> Option<Vec<IpNet>> {
    list.split(',').map(|part| network(part.trim())).collect()
}

fn network(text: &str) -> Option<IpNet> {
    match text.parse() {
        Ok(address) => Some(IpNet::from(IpAddr::V4(address))),
        Err(_) if text.contains('/') => text.parse().ok(),
        Err(_) => text.parse().map(IpAddr::V6).map(IpNet::from).ok(),
    }
}

/// The list that a file is: one or more networks a line; empty lines and what follows a `#` do not count.
#[must_use]
pub fn addresses_of_file(text: &str) -> String {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(",")
}

/// Whether `value` is an address, in its usual spelling, that lies in one of the networks.
#[must_use]
pub fn in_addresses(value: &[u8], networks: &[IpNet]) -> bool {
    let address: Option<IpAddr> = str::from_utf8(value).ok().and_then(|text| text.parse().ok());
    address.is_some_and(|address| networks.iter().any(|network| network.contains(&address)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_lie_in_networks() {
        let list = addresses("10.0.0.5/8,192.168.1.1, ::1,2001:db8::/32").unwrap();
        for inside in ["10.1.2.3", "192.168.1.1", "::1", "0:0:0:0:0:0:0:1", "2001:db8:1::5"] {
            assert!(in_addresses(inside.as_bytes(), &list), "{inside}");
        }
        for outside in [
            "11.0.0.5",
            "192.168.1.2",
            "2001:db9::1",
            "::ffff:10.1.2.3",
            "",
            "abc",
            " 10.1.2.3",
            "10.1.2.3/32",
        ] {
            assert!(!in_addresses(outside.as_bytes(), &list), "{outside}");
        }
        assert!(!in_addresses(b"\xff", &list));
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for wrong in
            ["", "abc", "10.0.0.1/33", "10.0.0.1/", "10.0.0", "010.0.0.1", "10.0.0.1,,10.0.0.2", "::1/129"]
        {
            assert_eq!(addresses(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn files_hold_a_network_a_line() {
        let text = "# office\n10.0.0.1\n\n192.168.0.0/16 # all of it\r\n10.0.0.2, 10.0.0.3\n";
        assert_eq!(addresses_of_file(text), "10.0.0.1,192.168.0.0/16,10.0.0.2, 10.0.0.3");
        assert_eq!(addresses(&addresses_of_file(text)).map(|list| list.len()), Some(4));
    }

    proptest! {
        #[test]
        fn an_address_lies_in_each_network_around_it(bits: u128, four: u32, length in 0_u8..=128, other: u128) {
            for (address, far, most) in [
                (IpAddr::from(bits.to_be_bytes()), IpAddr::from(other.to_be_bytes()), 128),
                (IpAddr::from(four.to_be_bytes()), IpAddr::from((other as u32).to_be_bytes()), 32),
            ] {
                let length = length.min(most);
                let list = addresses(&format!("{address}/{length}")).unwrap();
                prop_assert!(in_addresses(address.to_string().as_bytes(), &list));
                let shared = match (address, far) {
                    (IpAddr::V4(a), IpAddr::V4(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
                    (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
                    _ => unreachable!(),
                };
                prop_assert_eq!(in_addresses(far.to_string().as_bytes(), &list), shared >= u32::from(length));
            }
        }

        #[test]
        fn any_text_is_a_list_or_none(text in ".*") {
            let _ = addresses(&addresses_of_file(&text));
        }
    }
}
