// Tells what the page holds, then pokes at everything on it. Argument: whether to look a second time, after the page
// went through innerHTML.
const [again] = arguments;
const pokes = ["mouseover", "pointerenter", "click", "focus", "focusin", "toggle", "submit", "beforeinput", "error",
  "load", "begin", "start"];
function poke(root) {
  for (const element of root.querySelectorAll("*")) {
    for (const kind of pokes) element.dispatchEvent(new Event(kind));
    const leads = element.href?.baseVal ?? element.href ?? element.action ?? element.src ?? "";
    if (typeof leads === "string" && leads.startsWith("javascript:")) {
      if (element.click) element.click();
      if (element.submit) element.submit();
    }
  }
}
function shape(node) {
  if (node.nodeType === Node.COMMENT_NODE) return "!";
  if (node.nodeType !== Node.ELEMENT_NODE) return "";
  const names = [...node.attributes].map((one) => one.name).sort().join(",");
  const inside = node.content instanceof DocumentFragment ? node.content : node;
  return node.localName + "[" + names + "]{" + [...inside.childNodes].map(shape).join("") + "}";
}
function read(element, how) {
  const [what, name] = how.split(":");
  if (what === "value") return element.value;
  if (what === "attribute") return element.getAttribute(name);
  if (what === "query") return new URL(element[name]).searchParams.get("name");
  if (what === "origin") return new URL(element.href).protocol + decodeURIComponent(new URL(element.href).pathname);
  if (what === "inner") return element.content.firstElementChild.getAttribute(name);
  return element.textContent;
}
function places(root) {
  const found = {};
  for (const element of root.querySelectorAll("[data-see]")) {
    try {
      found[element.getAttribute("data-place")] = read(element, element.getAttribute("data-see"));
    } catch (error) {
      found[element.getAttribute("data-place")] = "could not be read: " + error;
    }
  }
  return found;
}
const first = { shape: shape(document.documentElement), places: places(document) };
poke(document);
if (again) {
  const copy = document.createElement("body");
  copy.innerHTML = document.body.innerHTML;
  first.again = { shape: shape(copy), places: places(copy) };
  first.body = shape(document.body);
  document.documentElement.append(copy);
  poke(copy);
}
return first;
