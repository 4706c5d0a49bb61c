/// Where `wanted` is in `names`: the name itself, or else the first that contains it.
pub(crate) fn position_of(names: &[String], wanted: &str) -> Option<usize> {
    let exact = names.iter().position(|name| name == wanted);
    exact.or_else(|| names.iter().position(|name| name.contains(wanted)))
}
