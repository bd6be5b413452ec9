// SPDX-License-Identifier: Apache-2.0
// org.rpmsg(5) from the interface files of dbus/: every interface, method, signal and property with
// the comment that stands before it. `node packaging/dev/man-bus.mjs` prints it.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileInterfaceXml } from './interface-xml.mjs';
import { isMain, root } from './run.mjs';

const interfaces = ['Manager', 'Remote', 'Device', 'Channel', 'Endpoint'];

const head = `.\\" SPDX-License-Identifier: Apache-2.0
.TH ORG.RPMSG 5 "" "rpmsgd @VERSION@" "RPMsg"
.SH NAME
org.rpmsg \\- the D\\-Bus interfaces of rpmsgd
.SH DESCRIPTION
.BR rpmsgd (8)
owns the name
.B org.rpmsg
on the system bus.
Its objects are the remotes, their vdevs, channels and endpoints:
.TP
.B /org/rpmsg
org.rpmsg.Manager, org.freedesktop.DBus.ObjectManager
.TP
.BI /org/rpmsg/ remote
org.rpmsg.Remote
.TP
.BI /org/rpmsg/ remote /vdev i
org.rpmsg.Device
.TP
.BI /org/rpmsg/ remote /vdev i /channel_ name
org.rpmsg.Channel and, for the endpoint that everybody shares, org.rpmsg.Endpoint
.TP
.BI /org/rpmsg/ remote /vdev i /endpoint_ n
org.rpmsg.Endpoint
.PP
Names of remotes and channels are escaped as
.BR sd_bus_path_encode (3)
does: each byte outside [A\\-Za\\-z0\\-9] becomes _ and two hexadecimal digits.
`;

const tail = `.SH "SEE ALSO"
.BR rpmsgctl (1),
.BR busctl (1),
.BR rpmsgd.toml (5),
.BR rpmsgd (8)
`;

/** Text as roff takes it: nothing in it is a request or an escape. */
function roff(text) {
  const plain = text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll('"', '\\(dq');
  return plain.replace(/^([.'])/gm, '\\&$1');
}

/** A comment's lines without their common indentation. */
function dedent(comment) {
  const lines = comment.split('\n').map((line) => line.trimEnd());
  while (lines.length > 0 && lines[0].trim() === '') lines.shift();
  while (lines.length > 0 && lines.at(-1).trim() === '') lines.pop();
  const least = Math.min(...lines.filter(Boolean).map((line) => line.search(/\S/)));
  return lines.map((line) => line.slice(Math.min(least, line.search(/\S|$/))));
}

/** Prose flows; what is indented or begins with a word and a colon keeps its lines. */
function roffText(comment) {
  const out = [];
  for (const line of dedent(comment)) {
    if (line === '') out.push('.PP');
    else if (/^\s/.test(line)) out.push(roff(`  ${line.trim()}`));
    else if (/^(Errors|Options|Keys):/.test(line)) out.push('.PP', roff(line));
    else out.push(roff(line));
  }
  return out.join('\n');
}

function signatureOf(args) {
  return args.map(({ name, type }) => `${type} ${name}`).join(', ');
}

function describe(kind, name, spec) {
  const [method, signal, property] = ['methods', 'signals', 'properties'].map(
    (table) => spec[table][name],
  );
  if (kind === 'method') {
    return `${name}(${signatureOf(method.in)}) -> (${signatureOf(method.out)})`;
  }
  if (kind === 'signal') return `signal ${name}(${signatureOf(signal.args)})`;
  return `property ${name} ${property.type} (${property.access})`;
}

/** An element with the comment right before it, if any; or a comment that stands alone. */
const element =
  /(?:<!--((?:(?!-->)[\s\S])*)-->\s*)?<(interface|method|signal|property)\s+name="([^"]+)"|<!--((?:(?!-->)[\s\S])*)-->/g;

/** Each element of one interface in the order of its file, with the comment before it. */
function sectionOf(name) {
  const file = `org.rpmsg.${name}.xml`;
  const text = readFileSync(join(root, 'dbus', file), 'utf8');
  const { spec } = compileInterfaceXml(text, file);
  const out = [];
  for (const [, before, kind, member, alone] of text.matchAll(element)) {
    const comment = before ?? alone ?? '';
    if (/SPDX-License-Identifier|^\s*How to read this file/.test(comment)) continue;
    if (kind === 'interface') out.push(`.SH "INTERFACE ${member.toUpperCase()}"`);
    else if (kind !== undefined) out.push('.SS', roff(describe(kind, member, spec)));
    else if (name === 'Manager' && out.length === 0) out.push('.SH "ERRORS AND CONVENTIONS"');
    else out.push('.PP');
    out.push(roffText(comment));
  }
  return out.filter((line) => line !== '').join('\n');
}

/** The whole page; @VERSION@ stands for the version. */
export function busManPage() {
  return `${head}${interfaces.map(sectionOf).join('\n')}\n${tail}`;
}

if (isMain(import.meta.url)) process.stdout.write(busManPage());
