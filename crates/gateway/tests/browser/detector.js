// Stands in every frame before anything of the page: whatever a planted script could call, load or break is noted.
(() => {
  const mine = [];
  if (window === window.top) {
    Object.defineProperty(window, "__ran", { value: mine });
    Object.defineProperty(window, "__fetch", { value: window.fetch.bind(window) });
  }
  const note = (what) => {
    try {
      window.top.__ran.push(what);
    } catch {
      mine.push(what);
    }
  };
  for (const name of ["alert", "confirm", "prompt", "print", "open", "fetch", "postMessage", "eval"]) {
    window[name] = () => note(name);
  }
  for (const name of ["log", "info", "warn", "error", "debug"]) {
    console[name] = () => note("console." + name);
  }
  navigator.sendBeacon = () => note("sendBeacon");
  XMLHttpRequest.prototype.open = () => note("XMLHttpRequest");
  window.addEventListener("error", (event) => {
    if (event.message) note("threw: " + event.message);
  });
  document.addEventListener("securitypolicyviolation", (event) => {
    note("policy: " + event.effectiveDirective + " " + event.blockedURI);
  });
})();
