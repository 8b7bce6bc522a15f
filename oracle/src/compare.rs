//! Rule ids of another engine held against the oracle's, request by request.

use std::collections::{BTreeMap, BTreeSet};

use shield::ftw::Case;
use shield::message::Request;

use crate::Oracle;
use crate::mutate::mutations;
use crate::reasons::Judge;

/// A request with a name by which a report calls it.
pub type Named = (String, Request);

/// One request on which the two do not agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Name of the request.
    pub name: String,
    /// The request.
    pub request: Request,
    /// Rules that the oracle alone found.
    pub oracle: BTreeSet<u64>,
    /// Rules that the engine alone found.
    pub engine: BTreeSet<u64>,
}

/// What a comparison found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Requests on which both agree.
    pub agreed: usize,
    /// The others, as far as nothing explains them.
    pub differences: Vec<Difference>,
    /// Requests on which the two differ for reasons that proved themselves.
    pub explained: usize,
    /// How many of these each reason is part of.
    pub by_reason: BTreeMap<&'static str, usize>,
}

impl Report {
    /// Adds what was found on further requests.
    pub fn add(&mut self, other: Self) {
        self.agreed += other.agreed;
        self.differences.extend(other.differences);
        self.explained += other.explained;
        for (reason, count) in other.by_reason {
            *self.by_reason.entry(reason).or_default() += count;
        }
    }

    /// Puts each difference to the test, and keeps those that no reason explains.
    pub fn explain(&mut self, judge: &mut Judge) -> Result<(), String> {
        for difference in std::mem::take(&mut self.differences) {
            let reasons = judge
                .reasons(&difference.request, &difference.oracle, &difference.engine)
                .map_err(|error| format!("{}: {error}", difference.name))?;
            let Some(reasons) = reasons else {
                self.differences.push(difference);
                continue;
            };
            self.explained += 1;
            for reason in reasons {
                *self.by_reason.entry(reason).or_default() += 1;
            }
        }
        Ok(())
    }

    /// How often each rule was found by the oracle alone and by the engine alone.
    #[must_use]
    pub fn by_rule(&self) -> BTreeMap<u64, (usize, usize)> {
        let mut rules: BTreeMap<u64, (usize, usize)> = BTreeMap::new();
        for difference in &self.differences {
            for &rule in &difference.oracle {
                rules.entry(rule).or_default().0 += 1;
            }
            for &rule in &difference.engine {
                rules.entry(rule).or_default().1 += 1;
            }
        }
        rules
    }
}

/// Runs each request through both. Rules in `ignored` do not count.
///
/// For sets that hold every match, load the oracle with `report_all`, and let the engine report `nolog` rules too.
pub fn compare(
    oracle: &mut Oracle,
    mut engine: impl FnMut(&str, &Request) -> BTreeSet<u64>,
    requests: impl IntoIterator<Item = Named>,
    ignored: &BTreeSet<u64>,
) -> Result<Report, String> {
    let mut report = Report::default();
    for (name, request) in requests {
        let expected = oracle.run(&request, false).map_err(|error| format!("{name}: {error}"))?.ids();
        let found = engine(&name, &request);
        let only = |one: &BTreeSet<u64>, two: &BTreeSet<u64>| -> BTreeSet<u64> {
            one.iter().filter(|rule| !two.contains(rule) && !ignored.contains(rule)).copied().collect()
        };
        let (oracle, engine) = (only(&expected, &found), only(&found, &expected));
        if oracle.is_empty() && engine.is_empty() {
            report.agreed += 1;
        } else {
            report.differences.push(Difference { name, request, oracle, engine });
        }
    }
    Ok(report)
}

/// The requests of cases: `942100-3`, and for a case of several stages `942100-3.2` and so on. Cases whose request
/// cannot be built are left out.
pub fn requests(cases: &[Case]) -> impl Iterator<Item = Named> + '_ {
    cases.iter().flat_map(|case| {
        case.stages.iter().zip(1..).filter_map(move |(stage, number)| {
            let name = if number == 1 { case.to_string() } else { format!("{case}.{number}") };
            Some((name, stage.request().ok()?))
        })
    })
}

/// Each request, followed by its mutations as `942100-3 Base64`.
pub fn with_mutations(requests: impl Iterator<Item = Named>) -> impl Iterator<Item = Named> {
    requests.flat_map(|(name, request)| {
        let mutated: Vec<Named> = mutations(&request)
            .map(|(mutation, mutated)| (format!("{name} {mutation:?}"), mutated))
            .collect();
        std::iter::once((name, request)).chain(mutated)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::RuleText;

    fn oracle() -> Oracle {
        let text = "SecRuleEngine DetectionOnly\n\
            SecRule ARGS \"@contains one\" \"id:1,phase:2,pass,log,t:none,t:lowercase\"\n\
            SecRule ARGS \"@contains two\" \"id:2,phase:2,pass,log,t:none\"\n";
        Oracle::load(&[RuleText { name: "t.conf".into(), text: text.into() }]).expect("rules")
    }

    fn named(query: &str) -> Named {
        (query.to_owned(), Request::new("GET", &format!("/?a={query}")))
    }

    #[test]
    fn agreement_and_differences_are_told_apart() {
        let engine = |name: &str, _: &Request| match name {
            "one" => BTreeSet::from([1]),
            "two" => BTreeSet::from([3]),
            _ => BTreeSet::new(),
        };
        let requests = ["one", "two", "onetwo", "none"].map(named);
        let report = compare(&mut oracle(), engine, requests, &BTreeSet::new()).expect("compared");
        assert_eq!(report.agreed, 1, "{report:?}");
        assert_eq!(report.by_rule(), [(1, (2, 0)), (2, (2, 0)), (3, (0, 1))].into());
    }

    #[test]
    fn ignored_rules_do_not_count() {
        let none = |_: &str, _: &Request| BTreeSet::new();
        let report = compare(&mut oracle(), none, [named("two")], &BTreeSet::from([2])).expect("compared");
        assert_eq!((report.agreed, report.differences.len()), (1, 0));
    }

    #[test]
    fn mutations_follow_their_request() {
        let names: Vec<String> = with_mutations([named("one")].into_iter()).map(|(name, _)| name).collect();
        assert_eq!(names.first().map(String::as_str), Some("one"));
        assert!(names.contains(&"one Upper".to_owned()), "{names:?}");
    }
}
