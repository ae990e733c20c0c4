// The rest is the same in every file that egressc writes. It calls no helper function, so no name is ever resolved.

function FindProxyForURL(url, host) {
  var asked = egresscAsked(url, host), name, at, i;
  if (egresscAny("*", asked)) { return "DIRECT"; }
  if (asked.address) {
    for (i = 0; i < egressc.addresses.length; i++) {
      if (egresscWithin(asked.address, egressc.addresses[i]) && egresscHolds(egressc.addresses[i][2], asked)) {
        return "DIRECT";
      }
    }
    return egressc.proxy;
  }
  name = asked.host;
  if (egresscAny(name, asked)) { return "DIRECT"; }
  for (at = name.indexOf("."); at >= 0; at = name.indexOf(".", at + 1)) {
    if (at > 0 && egresscAny("*" + name.substring(at), asked)) { return "DIRECT"; }
  }
  for (i = 0; i < egressc.patterns.length; i++) {
    if (egresscMatches(egressc.patterns[i][0], name) && egresscHolds(egressc.patterns[i][1], asked)) {
      return "DIRECT";
    }
  }
  return egressc.proxy;
}

// What is asked for: the host in lower case, its address where it is one, the port, and the decoded path.
function egresscAsked(url, host) {
  var parts = /^([a-z][a-z0-9+.\-]*):\/\/([^\/?#]*)([^?#]*)/i.exec(url) || ["", "", "", ""];
  var known = { "http": 80, "ws": 80, "https": 443, "wss": 443, "ftp": 21 };
  var scheme = parts[1].toLowerCase();
  var port = /:([0-9]+)$/.exec(parts[2].replace(/^.*@/, ""));
  var name = String(host).toLowerCase().replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
  return {
    "host": name,
    "address": egresscAddress(name),
    "port": port ? Number(port[1]) : egresscOwn(known, scheme) ? known[scheme] : 0,
    "path": parts[3].replace(/(%[0-9a-f][0-9a-f])+/gi, egresscDecoded).toLowerCase()
  };
}

function egresscDecoded(escapes) {
  try { return decodeURIComponent(escapes); } catch (e) { return escapes; }
}

function egresscOwn(table, key) {
  return Object.prototype.hasOwnProperty.call(table, key);
}

function egresscAny(key, asked) {
  return egresscOwn(egressc.names, key) && egresscHolds(egressc.names[key], asked);
}

// Whether one of the conditions of these numbers holds.
function egresscHolds(numbers, asked) {
  for (var i = 0; i < numbers.length; i++) {
    var when = egressc.when[numbers[i]];
    if (egresscPort(when.ports, asked.port) && egresscBelow(when.path, asked) && !egresscLeftOut(when.except, asked)) {
      return true;
    }
  }
  return false;
}

function egresscPort(ports, port) {
  for (var i = 0; i < ports.length; i++) {
    if (ports[i][0] <= port && port <= ports[i][1]) { return true; }
  }
  return false;
}

function egresscBelow(path, asked) {
  return path === "" || asked.path === path || asked.path.substring(0, path.length + 1) === path + "/";
}

function egresscLeftOut(except, asked) {
  for (var i = 0; i < except.length && !asked.address; i++) {
    if (egresscMatches(except[i][0], asked.host) && egresscBelow(except[i][1], asked)) { return true; }
  }
  return false;
}

// A pattern as in the policy: "*." is one or more labels, another star a run within a label.
function egresscMatches(pattern, host) {
  var deep = pattern.substring(0, 2) === "*.";
  var rest = (deep ? pattern.substring(2) : pattern).replace(/\./g, "\\.").replace(/\*/g, "[^.]*");
  return pattern === "*" || new RegExp("^" + (deep ? "([^.]+\\.)+" : "") + rest + "$").test(host);
}

function egresscWithin(address, range) {
  var first = egresscAddress(range[0]), last = egresscAddress(range[1]);
  return address.length === first.length && first <= address && address <= last;
}

// An address as hexadecimal digits that compare as text, 8 of IPv4 and 32 of IPv6; "" for a name.
function egresscAddress(text) {
  var found = /^([0-9]+)\.([0-9]+)\.([0-9]+)\.([0-9]+)$/.exec(text), digits = "", halves, some, i, j;
  if (found) {
    for (i = 1; i < 5; i++) {
      if (!/^(0|[1-9][0-9]?[0-9]?)$/.test(found[i]) || Number(found[i]) > 255) { return ""; }
      digits += (Number(found[i]) < 16 ? "0" : "") + Number(found[i]).toString(16);
    }
    return digits;
  }
  if (text.indexOf(":") < 0) { return ""; }
  found = /^(.*:)([0-9.]*\.[0-9.]*)$/.exec(text);
  if (found) {
    digits = egresscAddress(found[2]);
    if (digits === "") { return ""; }
    text = found[1] + digits.substring(0, 4) + ":" + digits.substring(4);
  }
  halves = text.split("::");
  if (halves.length > 2) { return ""; }
  digits = ["", ""];
  for (i = 0; i < halves.length; i++) {
    some = halves[i] === "" ? [] : halves[i].split(":");
    for (j = 0; j < some.length; j++) {
      if (!/^[0-9a-f][0-9a-f]?[0-9a-f]?[0-9a-f]?$/.test(some[j])) { return ""; }
      digits[i] += ("000" + some[j]).slice(-4);
    }
  }
  i = 32 - digits[0].length - digits[1].length;
  if (halves.length === 1 ? i !== 0 : i < 4) { return ""; }
  return digits[0] + "00000000000000000000000000000000".substring(0, i) + digits[1];
}
