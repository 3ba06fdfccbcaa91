import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MusterError } from '@muster/base';

const MAX_BYTES = 16 * 1024;
/** What belongs to the connection is not theirs. */
const KEPT = new Set(['host', 'connection', 'content-length', 'transfer-encoding', 'upgrade', 'expect']);

/**
 * The headers of a name, which is a DNS label; read anew each time, so that they may be rotated.
 * @throws MusterError `precondition` that says what is wrong and repeats no value.
 */
export function readHeaders(folder: string | undefined, name: string): Record<string, string> {
  const wrong = (problem: string) =>
    new MusterError('precondition', `headers "${name}" ${problem}`, {
      hint: 'MUSTER_GATE_HEADERS_DIR names a folder with a file for each name, with lines "Name: value"',
    });
  if (folder === undefined) throw wrong('are not there: the hub is given none');
  let text: string;
  try {
    text = readFileSync(join(folder, name), 'utf8');
  } catch {
    throw wrong('cannot be read');
  }
  if (text.length > MAX_BYTES) throw wrong(`are longer than ${MAX_BYTES} bytes`);
  const headers: Record<string, string> = {};
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '') continue;
    const found = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*([\t\x20-\x7e]*)$/.exec(line);
    if (!found || KEPT.has(found[1]!.toLowerCase())) throw wrong(`have no header in line ${i + 1}`);
    headers[found[1]!] = found[2]!.trim();
  }
  return headers;
}
