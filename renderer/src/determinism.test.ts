import { sha256 } from '@muster/base';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FileView } from './file-view.ts';
import { type LoadedRenderer, loadRenderer } from './load.ts';
import { Sandbox, type Snapshot } from './sandbox.ts';
import { configMap, dataOf, TestRenderer } from './testing.ts';
import { warmUp } from './warm-up.ts';

// Everything in sprig and Helm that draws on randomness, time or the order of a map.
const volatile: Record<string, string> = {
  words:
    '{{ randAlphaNum 16 }} {{ randAlpha 8 }} {{ randNumeric 8 }} {{ randAscii 8 | b64enc }} {{ randBytes 12 }}',
  numbers: '{{ range until 20 }}{{ randInt 0 1000 }} {{ end }}',
  shuffled: '{{ shuffle "abcdefghijklmnopqrstuvwxyz" }}',
  uuid: '{{ uuidv4 }}',
  htpasswd: '{{ htpasswd "user" "pass" }}',
  bcrypt: '{{ bcrypt "pass" }}',
  aes: '{{ encryptAES "secretkey" "plaintext" }}',
  now: '{{ now | date "2006-01-02T15:04:05Z07:00" }} {{ now | unixEpoch }} {{ ago (toDate "2006-01-02" "2020-01-02") }}',
  zone: '{{ dateInZone "15:04 MST" (now) "America/New_York" }}',
  keys: '{{ keys .Values.m }} {{ values .Values.m }} {{ pick .Values.m "a" "b" | keys }}',
  ecdsa: '{{ genPrivateKey "ecdsa" | b64enc }} {{ genPrivateKey "ed25519" | b64enc }}',
};
const certificates: Record<string, string> = {
  ca: '{{ $ca := genCA "ca" 365 }}{{ $ca.Cert | b64enc }} {{ (genSignedCert "a" nil (list "a") 10 $ca).Key | b64enc }}',
  self: '{{ (genSelfSignedCert "b" nil nil 10).Cert | b64enc }}',
  rsa: '{{ genPrivateKey "rsa" | b64enc }}',
};
const lines = (templates: Record<string, string>) =>
  configMap(...Object.entries(templates).map(([key, text]) => `${key}: |-\n    ${text}`));
const values = `m: {${[...'abcdefghijklmnopqrstuvwxyz'].map((c) => `"${c}": 1`).join(', ')}}`;
const volatileChart = { 'chart/templates/c.yaml': lines(volatile), 'chart/values.yaml': values };
const certificateChart = { 'chart/templates/c.yaml': lines(certificates) };
const plainChart = {
  'chart/templates/c.yaml': configMap('keys: {{ keys .Values.m | join "" }}'),
  'chart/values.yaml': values,
};

describe('a render', () => {
  let used: TestRenderer;
  let fresh: TestRenderer;
  beforeAll(async () => {
    [used, fresh] = await Promise.all([TestRenderer.start(), TestRenderer.start()]);
    for (let i = 0; i < 25; i++) {
      await used.helm(
        { 'chart/templates/c.yaml': lines(volatile), 'chart/values.yaml': `${values}\nz: ${i}` },
        {},
        { seed: i, clock: i },
      );
    }
  }, 300_000);
  afterAll(() => Promise.all([used.pool.close(), fresh.pool.close()]));

  it('is the same in a used instance as in a fresh one, in whatever order', async () => {
    const world = { clock: 1_700_000_000_000, seed: 7 };
    const inUsed = [await used.helm(volatileChart, {}, world), await used.helm(plainChart, {}, world)];
    const inFresh = [
      await fresh.helm(plainChart, {}, world),
      await fresh.helm(volatileChart, {}, world),
    ].reverse();
    expect(inFresh).toEqual(inUsed);
    expect(dataOf(inUsed[0]!)['now']).toBe('2023-11-14T22:13:20Z 1700000000 33910h13m20s');
    expect(dataOf(inUsed[0]!)['zone']).toBe('17:13 EST');
  });

  it('makes up the same certificates and keys for the same seed', { timeout: 120_000 }, async () => {
    const world = { clock: 1_700_000_000_000, seed: 7 };
    const [a, b] = await Promise.all([
      used.helm(certificateChart, {}, world),
      fresh.helm(certificateChart, {}, world),
    ]);
    expect(a).toEqual(b);
    expect(a.used).toEqual({ clock: true, random: true, capabilities: false });
  });

  it('makes up others for another seed or time', async () => {
    const first = dataOf(await used.helm(volatileChart, {}, { seed: 1, clock: 1e12 }));
    const other = dataOf(await used.helm(volatileChart, {}, { seed: 2, clock: 2e12 }));
    const same = Object.keys(first).filter((key) => first[key] === other[key]);
    expect(same).toEqual(['keys']);
  });

  it('that asks for neither clock nor randomness does not depend on them, and says so', async () => {
    const a = await used.helm(plainChart, {}, { seed: 1, clock: 1 });
    const b = await used.helm(plainChart, {}, { seed: 2, clock: 2 });
    expect(a).toEqual(b);
    expect(a.used).toEqual({ clock: false, random: false, capabilities: false });
  });

  it.each(Object.keys(volatile).filter((key) => key !== 'keys'))(
    'that uses %s says what it asked for',
    async (key) => {
      const result = await used.helm({ 'chart/templates/c.yaml': lines({ [key]: volatile[key]! }) });
      expect(result.used.random || result.used.clock).toBe(true);
      expect(result.used.random).toBe(!['now', 'zone'].includes(key));
    },
  );

  it('of a kustomization asks for nothing', async () => {
    const result = await used.kustomize({
      'app/kustomization.yaml': 'configMapGenerator: [{name: a, literals: [b=c]}]',
    });
    expect(result.used).toEqual({ clock: false, random: false, capabilities: false });
  });
});

describe('an instance', { timeout: 120_000 }, () => {
  let compiled: LoadedRenderer;
  const view = () =>
    new FileView(
      { list: () => undefined, read: () => undefined },
      { totalBytes: 1, fileBytes: 1, fileCount: 1, outputBytes: 1 },
    );
  const world = () => ({ clock: 1, seed: new Uint8Array(32).fill(9), used: { clock: false, random: false } });
  const bytes = (text: string) => new TextEncoder().encode(text);
  beforeAll(async () => {
    compiled = await loadRenderer();
  }, 300_000);

  it('comes up in the same state each time, to the byte', () => {
    const [a, b] = [new Sandbox(compiled, warmUp).snapshots, new Sandbox(compiled, warmUp).snapshots];
    const text = ({ from, size, globals, parts }: Snapshot) => {
      const hashes = parts.map(({ at, bytes }) => `${at} ${sha256(bytes)}`);
      return { from, size, globals, hashes };
    };
    expect(text(a.plain)).toEqual(text(b.plain));
    expect(text(a.kustomize)).toEqual(text(b.kustomize));
  });

  it('never writes below what is restored', () => {
    const sandbox = new Sandbox(compiled, warmUp);
    const untouched = new Sandbox(compiled, sandbox.snapshots);
    for (let i = 0; i < 20; i++)
      sandbox.call('helm', bytes('{"path":"x","values":"a: [1, 2]"}'), world(), view());
    const { from } = sandbox.snapshots.plain;
    expect(from).toBeGreaterThan(10 * 2 ** 20);
    const readOnly = (s: Sandbox) => s.memory.subarray(0, from);
    expect(Buffer.compare(readOnly(sandbox), readOnly(untouched))).toBe(0);
  });

  it('is put back to the byte, whatever was called before and however much memory that took', () => {
    const sandbox = new Sandbox(compiled, warmUp);
    const call = (op: string, values: string) =>
      sandbox.call(op, bytes(JSON.stringify({ path: 'x', values })), world(), view());
    const differences = () => {
      sandbox.tidy();
      const expected = Buffer.alloc(sandbox.memory.length);
      const { plain } = sandbox.snapshots;
      expected.set(sandbox.memory.subarray(0, plain.from));
      for (const { at, bytes: part } of plain.parts) expected.set(part, at);
      return Buffer.compare(expected, sandbox.memory);
    };
    const before = sandbox.memory.length;
    call('helm', `a: [${'"some text", '.repeat(200_000)}]`);
    expect(sandbox.memory.length).toBeGreaterThan(before + 20 * 2 ** 20);
    call('helm', 'a: 1');
    expect(differences()).toBe(0);
    call('kustomize', '');
    call('helm', 'a: 1');
    expect(differences()).toBe(0);
  });

  it('answers from a shared snapshot what the one it came from answers', () => {
    const first = new Sandbox(compiled, warmUp);
    const second = new Sandbox(compiled, first.snapshots);
    const call = (s: Sandbox) =>
      new TextDecoder().decode(s.call('kustomize', bytes('{"path":"x"}'), world(), view()));
    expect(call(second)).toBe(call(first));
  });
});
