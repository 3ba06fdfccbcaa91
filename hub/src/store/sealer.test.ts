import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Sealer, loadSealingKeys } from './sealer.ts';

const key = (byte: number) => Buffer.alloc(32, byte).toString('base64');
const sealer = new Sealer({ current: 'k1', keys: { k1: key(1) } });
const secret = Buffer.from('hunter2');

test('what is sealed opens in its context, and looks different each time', () => {
  const sealed = sealer.seal(secret, 'repositories/1');
  expect(sealer.open(sealed, 'repositories/1')).toEqual(secret);
  expect(sealed.includes(secret)).toBe(false);
  expect(sealer.seal(secret, 'repositories/1')).not.toEqual(sealed);
});

test('moved to another row it does not open', () => {
  expect(() => sealer.open(sealer.seal(secret, 'repositories/1'), 'repositories/2')).toThrow(
    'does not verify',
  );
});

test('with any byte changed it does not open', () => {
  const sealed = sealer.seal(secret, 'a');
  for (let index = 0; index < sealed.length; index++) {
    const changed = Buffer.from(sealed);
    changed[index]! ^= 1;
    expect(() => sealer.open(changed, 'a')).toThrow();
  }
  for (let length = 0; length < sealed.length; length++) {
    expect(() => sealer.open(sealed.subarray(0, length), 'a')).toThrow();
  }
});

test('after a rotation what is old still opens and is known to be old', () => {
  const rotated = new Sealer({ current: 'k2', keys: { k1: key(1), k2: key(2) } });
  const old = sealer.seal(secret, 'a');
  expect(rotated.open(old, 'a')).toEqual(secret);
  expect(rotated.isCurrent(old)).toBe(false);
  expect(rotated.isCurrent(rotated.seal(secret, 'a'))).toBe(true);
  expect(() => sealer.open(rotated.seal(secret, 'a'), 'a')).toThrow(
    'sealed with key k2, which is not configured',
  );
});

test('keys are made once, readable to their owner only, and never when they must come from a backup', () => {
  const dir = mkdtempSync(join(tmpdir(), 'muster-keys-'));
  expect(() => loadSealingKeys(dir, false)).toThrow('sealing.json is missing');
  const made = loadSealingKeys(dir, true);
  expect(loadSealingKeys(dir, true)).toEqual(made);
  expect(statSync(join(dir, 'sealing.json')).mode & 0o777).toBe(0o600);
  rmSync(dir, { recursive: true });
});
