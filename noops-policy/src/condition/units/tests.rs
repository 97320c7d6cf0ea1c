use super::*;
use crate::cel::checker::{Mode, check};
use crate::cel::environment::Environment;
use crate::cel::parser::parse;
use crate::fact::FactType;

fn checked(source: &str) -> Result<(), String> {
    let fact = |name: &str, unit: &str| FactDecl::double(name).with_unit(unit);
    let schema = FactSchema::new(vec![
        fact("latency", "ms"),
        fact("budget", " s "),
        fact("wait", "seconds"),
        fact("speed", "ms/s"),
        fact("size", "MiB"),
        fact("rest", "B"),
        fact("share", "ratio"),
        fact("part", "percent"),
        fact("load", "requests"),
        FactDecl::double("plain"),
        FactDecl::int("age").with_unit("min"),
        FactDecl::int("limit").with_unit("h"),
        FactDecl::text("env").with_unit("ms"),
        FactDecl::bool("flag"),
        FactDecl::new("delays", FactType::Doubles).with_unit("ms"),
    ])
    .unwrap();
    let environment = Environment::from_schema(&schema);
    let typed = check(&parse(source).unwrap(), source, &environment, Mode::Strict)
        .unwrap_or_else(|error| panic!("{source}: {error:?}"));
    check_units(&typed, source, &schema).map_err(|error| format!("{}: {}", error.at, error.problem))
}

#[track_caller]
fn fits(source: &str) {
    assert_eq!(checked(source), Ok(()), "{source}");
}

#[track_caller]
fn differs(source: &str, message: &str) {
    assert_eq!(checked(source), Err(message.to_owned()), "{source}");
}

#[test]
fn different_units_are_refused_with_a_conversion() {
    differs(
        "latency  >  budget",
        "12: `latency` is in `ms` and `budget` in `s`; convert one: `latency / 1000.0`",
    );
    differs(
        "flag && budget + latency > 1.0",
        "17: `budget` is in `s` and `latency` in `ms`; convert one: `latency / 1000.0`",
    );
    differs(
        "size > rest",
        "7: `size` is in `MiB` and `rest` in `B`; convert one: `rest / 1048576.0`",
    );
    differs(
        "share < part",
        "8: `share` is in `ratio` and `part` in `percent`; convert one: `part / 100.0`",
    );
    differs(
        "age > limit",
        "6: `age` is in `min` and `limit` in `h`; convert one: `double(age) / 60.0`",
    );
    differs(
        "latency + latency > budget",
        "20: `latency + latency` is in `ms` and `budget` in `s`; convert one: `(latency + latency) / 1000.0`",
    );
    differs(
        "latency > load",
        "10: `latency` is in `ms` and `load` in `requests`; compare quantities of one unit",
    );
    differs(
        "budget > wait",
        "9: `budget` is in `s` and `wait` in `seconds`; declare both in `s`",
    );
}

#[test]
fn units_are_followed_into_every_part() {
    for source in [
        "(flag ? latency : budget) > 1.0",
        "math.greatest(latency, budget) > 1.0",
        "latency in [1.0, budget]",
        "delays.exists(delay, delay > budget)",
        "delays.filter(delay, delay > 1.0)[0] > budget",
        "delays.map(delay, delay / 1000.0)[0] > latency",
        "cel.bind(x, -latency, x < budget)",
        "!(double(age) > latency)",
        "delays[0] > budget",
        "latency * latency > latency",
        "latency / load > latency",
        "latency * 2.0 > budget",
        "latency / 999.0 > budget",
    ] {
        assert!(checked(source).is_err(), "{source}");
    }
}

#[test]
fn one_unit_or_none_fits() {
    for source in [
        "latency > 5.0",
        "latency > plain && plain > budget",
        "latency + 1.0 > latency * 0.9",
        "latency / latency > share",
        "latency / budget > speed",
        "delays.all(delay, delay < latency)",
        "flag ? latency > 1.0 : budget > 1.0",
        "env == 'prod' && latency > 1.0",
        "double(size(env)) > latency",
        "latency * latency / latency < latency",
    ] {
        fits(source);
    }
}

#[test]
fn a_literal_factor_between_two_known_units_converts() {
    for source in [
        "latency / 1000.0 > budget",
        "latency * 0.001 > budget",
        "budget * 1000.0 < latency",
        "1000.0 * budget < latency",
        "part / 100.0 < share",
        "rest / 1048576.0 > size",
        "double(age) / 60.0 > double(limit)",
        "age / 60 > limit",
        "wait * 1000.0 > latency",
        "delays.map(delay, delay / 1000.0)[0] > budget",
    ] {
        fits(source);
    }
    differs(
        "latency / 1000.0 > latency",
        "19: `latency / 1000.0` is in `s` and `latency` in `ms`; convert one: `latency / 1000.0`",
    );
}
