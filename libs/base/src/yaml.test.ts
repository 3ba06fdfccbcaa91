import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MusterError } from './errors.ts';
import { parseDocument, parseDocuments, stringify } from './yaml.ts';

const testdata = new URL('../testdata/yaml/', import.meta.url);
const golden = JSON.parse(readFileSync(new URL('sigs-yaml.golden.json', testdata), 'utf8')) as {
  yaml: string;
  json?: unknown;
  error?: string;
}[];

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (thrown) {
    return thrown instanceof MusterError ? `${thrown.code} ${thrown.where}` : String(thrown);
  }
  return 'no error';
}

describe('YAML as sigs.k8s.io/yaml reads it', () => {
  it.each(golden)('agrees on $yaml', ({ yaml, json, error }) => {
    if (error !== undefined) expect(() => parseDocument(yaml, { letterBooleans: true })).toThrow();
    else expect(JSON.parse(JSON.stringify(parseDocument(yaml, { letterBooleans: true })))).toEqual(json);
  });

  it('has a golden file that the library still writes', (context) => {
    try {
      execFileSync('go', ['version']);
    } catch {
      context.skip('no go on this machine');
    }
    let text: string;
    try {
      text = execFileSync('go', ['run', '.'], {
        cwd: testdata,
        input: JSON.stringify(golden.map((entry) => entry.yaml)),
        encoding: 'utf8',
        stdio: ['pipe', 'pipe', 'ignore'],
        timeout: 25_000,
      });
    } catch {
      return context.skip('the Go module could not be built here');
    }
    expect(JSON.parse(text)).toEqual(golden);
  });
});

describe('YAML beyond the library', () => {
  it('keeps y and n as strings unless told otherwise', () => {
    expect(parseDocument('a: y\nn: N\nb: yes')).toEqual({ a: 'y', n: 'N', b: true });
    expect(parseDocument('a: y\nn: N', { letterBooleans: true })).toEqual({ a: true, false: false });
  });

  it('tells the line of each document and leaves empty ones out', () => {
    const documents = parseDocuments('# first\n---\na: 1\n---\n# nothing\n---\n\nb: 2\n...\n');
    expect(documents).toEqual([
      { value: { a: 1 }, line: 3 },
      { value: { b: 2 }, line: 8 },
    ]);
  });

  it('refuses a key that is there twice, naming file and line', () => {
    expect(codeOf(() => parseDocuments('a: 1\nb:\n  c: 1\n  c: 2\n', { file: 'x.yaml' }))).toBe(
      'invalid x.yaml:4',
    );
  });

  it('names the line of a syntax error', () => {
    expect(codeOf(() => parseDocuments('a: 1\nb: [1\nc: 2\n', { file: 'x.yaml' }))).toMatch(
      /^invalid x\.yaml:[34]$/,
    );
  });

  it('refuses a YAML bomb in milliseconds', () => {
    let bomb = 'a0: &a0 [x,x,x,x,x,x,x,x,x]\n';
    for (let i = 1; i < 20; i++)
      bomb += `a${i}: &a${i} [${Array(9)
        .fill(`*a${i - 1}`)
        .join(',')}]\n`;
    expect(codeOf(() => parseDocuments(bomb, { file: 'bomb.yaml' }))).toMatch(/^limit bomb\.yaml:\d+$/);
    const merges = `${bomb.replaceAll('[', '{k: [').replaceAll(']', ']}')}`;
    expect(codeOf(() => parseDocuments(merges))).toMatch(/^limit/);
  });

  it('holds its bounds on bytes, documents, nodes and depth', () => {
    expect(codeOf(() => parseDocuments('a: 1', { maxBytes: 3 }))).toMatch(/^limit/);
    expect(codeOf(() => parseDocuments('a: 1\n---\nb: 1', { maxDocuments: 1 }))).toMatch(/^limit/);
    expect(codeOf(() => parseDocuments('[1,2,3]', { maxNodes: 3 }))).toMatch(/^limit/);
    expect(codeOf(() => parseDocuments('['.repeat(5000) + ']'.repeat(5000)))).toMatch(/^limit/);
    const chain = `a: &a ${'['.repeat(60)}${']'.repeat(60)}\nb: ${'['.repeat(60)}*a${']'.repeat(60)}`;
    expect(codeOf(() => parseDocuments(chain))).toMatch(/^limit/);
  });

  it('tells the right lines where it had to add indentation', () => {
    const text = 'a: [\n1\n]\n---\nb: "x\ny"\nc: 1\nc: 2\n';
    expect(codeOf(() => parseDocuments(text, { file: 'f' }))).toBe('invalid f:8');
    expect(parseDocuments('a: [\n1\n]\n---\nb: "x\ny"\n').map(({ line }) => line)).toEqual([1, 5]);
  });

  it('bounds the time for indentation that is never enough', () => {
    const started = performance.now();
    codeOf(() => parseDocuments(`a: [\n${'1,\n'.repeat(100_000)}]`));
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it('gives each alias its own copy', () => {
    const value = parseDocument('a: &x {k: 1}\nb: *x') as { a: { k: number }; b: { k: number } };
    value.a.k = 2;
    expect(value.b.k).toBe(1);
  });

  it('reads bytes and refuses what is not UTF-8', () => {
    expect(parseDocument(new TextEncoder().encode('a: ü'))).toEqual({ a: 'ü' });
    expect(codeOf(() => parseDocument(new Uint8Array([0x61, 0xff]), { file: 'f' }))).toBe('invalid f');
  });

  it('keeps __proto__ an ordinary key', () => {
    const value = parseDocument('__proto__: {polluted: 1}') as object;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.keys(value)).toEqual(['__proto__']);
  });

  it('reads back whatever it wrote, and JSON', () => {
    const json = fc.jsonValue({ noUnicodeString: false } as object);
    fc.assert(
      fc.property(json, fc.boolean(), (value, letterBooleans) => {
        const plain = JSON.parse(JSON.stringify(value));
        if (plain === null) return;
        expect(parseDocument(stringify(plain), { letterBooleans })).toEqual(plain);
        expect(parseDocument(JSON.stringify(plain))).toEqual(plain);
      }),
      { numRuns: 300 },
    );
    const awkward = [
      'y',
      'N',
      '0644',
      '0o17',
      '1_000',
      '.5_0',
      '2020-01-01',
      '~',
      '<<',
      '=',
      '0b1',
      '+1',
      '1e3',
      'a: b',
      '# c',
    ];
    expect(parseDocument(stringify(awkward), { letterBooleans: true })).toEqual(awkward);
  });
});
