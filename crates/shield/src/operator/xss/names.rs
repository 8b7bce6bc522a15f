//! Names of HTML by which script gets into a page.

/// What an attribute can do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Attribute {
    /// Nothing by itself.
    Harmless,
    /// Runs its value, or lets what follows run.
    Script,
    /// Its value is an address.
    Address,
    /// Its value is the name of an attribute.
    Name,
}

/// Elements that run script or change where script comes from. Those that start with `svg` and `xsl` belong to them too.
const ELEMENTS: [&str; 20] = [
    "applet", "base", "comment", "embed", "frame", "frameset", "handler", "iframe", "import", "isindex",
    "link", "listener", "meta", "noscript", "object", "script", "style", "vmlframe", "xml", "xss",
];

const ATTRIBUTES: [(&str, Attribute); 19] = [
    ("action", Attribute::Address),
    ("attributename", Attribute::Name),
    ("background", Attribute::Address),
    ("by", Attribute::Address),
    ("dataformatas", Attribute::Script),
    ("datasrc", Attribute::Script),
    ("dynsrc", Attribute::Address),
    ("filter", Attribute::Script),
    ("folder", Attribute::Address),
    ("formaction", Attribute::Address),
    ("from", Attribute::Address),
    ("handler", Attribute::Address),
    ("href", Attribute::Address),
    ("lowsrc", Attribute::Address),
    ("poster", Attribute::Address),
    ("src", Attribute::Address),
    ("style", Attribute::Script),
    ("to", Attribute::Address),
    ("values", Attribute::Address),
];

/// Starts of the names of events, in order and none the start of another: those that libinjection knows, and those of the HTML standard
/// and of older browsers that it does not.
const EVENTS: &[&str] = &[
    "abort",
    "activate",
    "active",
    "addsourcebuffer",
    "addstream",
    "addtrack",
    "afterprint",
    "afterscriptexecute",
    "afterupdate",
    "animation",
    "audioend",
    "audioprocess",
    "audiostart",
    "autocomplete",
    "auxclick",
    "beforeactivate",
    "beforecopy",
    "beforecut",
    "beforeeditfocus",
    "beforeinput",
    "beforeload",
    "beforematch",
    "beforepaste",
    "beforeprint",
    "beforescriptexecute",
    "beforetoggle",
    "beforeunload",
    "beforeupdate",
    "begin",
    "blocked",
    "blur",
    "bounce",
    "boundary",
    "bufferedamountlow",
    "cached",
    "cancel",
    "canplay",
    "cellchange",
    "change",
    "chargingchange",
    "chargingtimechange",
    "checking",
    "click",
    "close",
    "command",
    "complete",
    "compositionend",
    "compositionstart",
    "compositionupdate",
    "connect",
    "contentvisibilityautostatechange",
    "contextlost",
    "contextmenu",
    "contextrestored",
    "controllerchange",
    "controlselect",
    "copy",
    "cuechange",
    "currententrychange",
    "cut",
    "dataavailable",
    "datachannel",
    "datasetchanged",
    "datasetcomplete",
    "dblclick",
    "deactivate",
    "devicechange",
    "devicelight",
    "devicemotion",
    "deviceorientation",
    "dischargingtimechange",
    "disconnect",
    "dispose",
    "domactivate",
    "domcharacterdatamodified",
    "domcontentloaded",
    "domfocusin",
    "domfocusout",
    "domnodeinserted",
    "domnoderemoved",
    "domsubtreemodified",
    "downloading",
    "drag",
    "drop",
    "durationchange",
    "emptied",
    "encrypted",
    "end",
    "enter",
    "error",
    "exit",
    "fetch",
    "filterchange",
    "finish",
    "focus",
    "formchange",
    "formdata",
    "forminput",
    "fullscreenchange",
    "fullscreenerror",
    "gamepadconnected",
    "gamepaddisconnected",
    "gesturechange",
    "gestureend",
    "gesturescrollend",
    "gesturescrollstart",
    "gesturescrollupdate",
    "gesturestart",
    "gesturetap",
    "gotpointercapture",
    "hashchange",
    "help",
    "icecandidate",
    "iceconnectionstatechange",
    "icegatheringstatechange",
    "inactive",
    "input",
    "install",
    "invalid",
    "keydown",
    "keypress",
    "keystatuseschange",
    "keyup",
    "languagechange",
    "layoutcomplete",
    "leavepictureinpicture",
    "levelchange",
    "load",
    "losecapture",
    "lostpointercapture",
    "mark",
    "mediacomplete",
    "mediaerror",
    "merchantvalidation",
    "message",
    "mousedown",
    "mouseenter",
    "mouseleave",
    "mousemove",
    "mouseout",
    "mouseover",
    "mouseup",
    "mousewheel",
    "move",
    "mozfullscreenchange",
    "mozfullscreenerror",
    "mute",
    "navigate",
    "negotiationneeded",
    "nexttrack",
    "nomatch",
    "noupdate",
    "obsolete",
    "offline",
    "online",
    "open",
    "orientationchange",
    "outofsync",
    "overconstrained",
    "overflowchanged",
    "page",
    "paste",
    "pause",
    "payerdetailchange",
    "paymentauthorized",
    "paymentmethodchange",
    "paymentmethodselected",
    "play",
    "pointercancel",
    "pointerdown",
    "pointerenter",
    "pointerleave",
    "pointerlockchange",
    "pointerlockerror",
    "pointermove",
    "pointerout",
    "pointerover",
    "pointerrawupdate",
    "pointerup",
    "popstate",
    "previoustrack",
    "processorerror",
    "progress",
    "propertychange",
    "ratechange",
    "readystatechange",
    "redo",
    "rejectionhandled",
    "remove",
    "repeat",
    "reset",
    "resize",
    "resourcetimingbufferfull",
    "result",
    "resume",
    "reverse",
    "rowdelete",
    "rowenter",
    "rowexit",
    "rowinserted",
    "rowsdelete",
    "rowsinserted",
    "scroll",
    "search",
    "securitypolicyviolation",
    "seek",
    "select",
    "shippingaddresschange",
    "shippingcontactselected",
    "shippingmethodselected",
    "shippingoptionchange",
    "show",
    "signalingstatechange",
    "slotchange",
    "snapchanged",
    "snapchanging",
    "soundend",
    "soundstart",
    "sourceclose",
    "sourceended",
    "sourceopen",
    "speechend",
    "speechstart",
    "squeeze",
    "stalled",
    "start",
    "statechange",
    "stop",
    "storage",
    "submit",
    "success",
    "suspend",
    "syncrestored",
    "textinput",
    "timeerror",
    "timeout",
    "timeupdate",
    "toggle",
    "tonechange",
    "touchcancel",
    "touchend",
    "touchforcechange",
    "touchmove",
    "touchstart",
    "track",
    "transition",
    "uncapturederror",
    "undo",
    "unhandledrejection",
    "unload",
    "unmute",
    "update",
    "upgradeneeded",
    "urlflip",
    "userproximity",
    "validatemerchant",
    "versionchange",
    "visibilitychange",
    "volumechange",
    "waiting",
    "webglcontextchanged",
    "webglcontextcreationerror",
    "webglcontextlost",
    "webglcontextrestored",
    "webkitanimationend",
    "webkitanimationiteration",
    "webkitanimationstart",
    "webkitbeforetextinserted",
    "webkitbeginfullscreen",
    "webkitcurrentplaybacktargetiswirelesschanged",
    "webkitendfullscreen",
    "webkitfullscreenchange",
    "webkitfullscreenerror",
    "webkitkeyadded",
    "webkitkeyerror",
    "webkitkeymessage",
    "webkitmouseforcechanged",
    "webkitmouseforcedown",
    "webkitmouseforceup",
    "webkitmouseforcewillbegin",
    "webkitneedkey",
    "webkitnetworkinfochange",
    "webkitplaybacktargetavailabilitychanged",
    "webkitpresentationmodechanged",
    "webkitregionoversetchange",
    "webkitremovesourcebuffer",
    "webkitsourceclose",
    "webkitsourceended",
    "webkitsourceopen",
    "webkitspeechchange",
    "webkittransitionend",
    "webkitwillrevealbottom",
    "webkitwillrevealleft",
    "webkitwillrevealright",
    "webkitwillrevealtop",
    "wheel",
    "write",
    "zoom",
];

/// Schemes of addresses whose content runs, as far as their names tell; `java` stands for `javascript`.
pub(super) const SCHEMES: [&str; 4] = ["data", "view-source", "java", "vbscript"];

/// No name here is longer.
const LONGEST: usize = 48;

/// The start of a name without the bytes 0 that some browsers skip, if there are any. Such names are rare, so that the copy is.
fn without_nulls(name: &[u8]) -> Option<Vec<u8>> {
    name.contains(&0).then(|| name.iter().copied().filter(|&byte| byte != 0).take(LONGEST + 1).collect())
}

fn starts_with(name: &[u8], start: &str) -> bool {
    name.get(..start.len()).is_some_and(|name| name.eq_ignore_ascii_case(start.as_bytes()))
}

/// Whether an element of that name runs script.
pub(super) fn is_script_element(name: &[u8]) -> bool {
    if name.len() < 3 {
        return false;
    }
    let cleaned = without_nulls(name);
    let name = cleaned.as_deref().unwrap_or(name);
    ELEMENTS.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
        || starts_with(name, "svg")
        || starts_with(name, "xsl")
}

/// What an attribute of that name can do.
pub(super) fn attribute(name: &[u8]) -> Attribute {
    let cleaned = without_nulls(name);
    let name = cleaned.as_deref().unwrap_or(name);
    if starts_with(name, "xmlns") || starts_with(name, "xlink") || is_event(name) {
        return Attribute::Script;
    }
    let known = ATTRIBUTES.iter().find(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes()));
    known.map_or(Attribute::Harmless, |&(_, attribute)| attribute)
}

fn is_event(name: &[u8]) -> bool {
    if !starts_with(name, "on") || name.len() < 5 {
        return false;
    }
    let mut event = [0; LONGEST];
    let length = event.len().min(name.len() - 2);
    event[..length].copy_from_slice(&name[2..2 + length]);
    event.make_ascii_lowercase();
    let event = &event[..length];
    // The last known start that is not behind the name: no other can be a start of it.
    let after = EVENTS.partition_point(|known| known.as_bytes() <= event);
    after.checked_sub(1).is_some_and(|at| event.starts_with(EVENTS[at].as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_in_order_and_starts_are_not_repeated() {
        assert!(EVENTS.is_sorted());
        assert!(EVENTS.windows(2).all(|pair| !pair[1].starts_with(pair[0])));
        assert!(EVENTS.iter().all(|name| name.len() <= LONGEST));
    }

    #[test]
    fn names_are_compared_without_case_and_nulls() {
        assert!(
            is_script_element(b"ScRi\0pT") && is_script_element(b"svgfoo") && !is_script_element(b"scripts")
        );
        assert!(!is_script_element(b"b") && !is_script_element(b"section"));
        for name in EVENTS {
            assert_eq!(attribute(format!("ON{name}x").as_bytes()), Attribute::Script, "{name}");
        }
        assert_eq!(attribute(b"onclick"), Attribute::Script);
        assert_eq!(attribute(b"only"), Attribute::Harmless);
        assert_eq!(attribute(b"ontology"), Attribute::Harmless);
        assert_eq!(attribute(b"hre\0f"), Attribute::Address);
        assert_eq!(attribute(b"xlink:href"), Attribute::Script);
        assert_eq!(attribute(&[b'a'; 100]), Attribute::Harmless);
    }
}
