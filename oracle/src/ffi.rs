//! The shim's interface, as declared in `shim/shim.h`.

use std::ffi::{c_char, c_int, c_void};

#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Bytes {
    pub(crate) data: *const u8,
    pub(crate) length: usize,
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Self {
        Self { data: bytes.as_ptr(), length: bytes.len() }
    }
}

#[repr(C)]
pub(crate) struct Header {
    pub(crate) name: Bytes,
    pub(crate) value: Bytes,
}

#[repr(C)]
pub(crate) struct Exchange {
    pub(crate) client: *const c_char,
    pub(crate) uri: *const c_char,
    pub(crate) method: *const c_char,
    pub(crate) version: *const c_char,
    pub(crate) headers: *const Header,
    pub(crate) header_count: usize,
    pub(crate) body: Bytes,
    pub(crate) has_response: c_int,
    pub(crate) status: c_int,
    pub(crate) response_protocol: *const c_char,
    pub(crate) response_headers: *const Header,
    pub(crate) response_header_count: usize,
    pub(crate) response_body: Bytes,
    pub(crate) all_phases: c_int,
}

#[repr(C)]
pub(crate) struct Message {
    pub(crate) rule: i64,
    pub(crate) phase: c_int,
    pub(crate) severity: c_int,
    pub(crate) disruptive: c_int,
    pub(crate) matched: Bytes,
    pub(crate) data: Bytes,
    pub(crate) message: Bytes,
    pub(crate) file: Bytes,
    pub(crate) line: c_int,
    pub(crate) log: Bytes,
}

#[repr(C)]
#[derive(Default)]
pub(crate) struct Decision {
    pub(crate) disruptive: c_int,
    pub(crate) status: c_int,
    pub(crate) phase: c_int,
    pub(crate) reached: c_int,
}

/// An engine of the shim; only ever behind a pointer.
#[repr(C)]
pub(crate) struct Engine {
    _opaque: [u8; 0],
}

pub(crate) type Sink = unsafe extern "C" fn(*mut c_void, *const Message);

#[expect(unsafe_code, reason = "declarations of the shim, which is C++")]
unsafe extern "C" {
    pub(crate) fn oracle_new() -> *mut Engine;
    pub(crate) fn oracle_free(engine: *mut Engine);
    pub(crate) fn oracle_version(engine: *mut Engine) -> *const c_char;
    pub(crate) fn oracle_add(engine: *mut Engine, text: *const c_char, file: *const c_char) -> c_int;
    pub(crate) fn oracle_error(engine: *mut Engine) -> *const c_char;
    pub(crate) fn oracle_run(
        engine: *mut Engine,
        exchange: *const Exchange,
        sink: Option<Sink>,
        context: *mut c_void,
        decision: *mut Decision,
    ) -> c_int;
}
