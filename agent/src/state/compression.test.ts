import { sha256 } from '@muster/base';
import { expect, it } from 'vitest';
import { compress, decompress } from './compression.ts';
import { openBundle } from './records.ts';

it('gives back what was compressed', async () => {
  const bytes = Buffer.from('muster '.repeat(1_000));
  expect((await decompress(await compress(bytes), bytes.length)).equals(bytes)).toBe(true);
});

it('stops a bomb at its bound', async () => {
  const bomb = await compress(Buffer.alloc(50_000_000));
  expect(bomb.length).toBeLessThan(10_000);
  await expect(decompress(bomb, 1_000_000)).rejects.toMatchObject({ code: 'limit' });
});

it('refuses what is no Zstandard, and what is cut', async () => {
  await expect(decompress(Buffer.from('hello'), 100)).rejects.toMatchObject({ code: 'invalid' });
  const whole = await compress(Buffer.from('muster '.repeat(100)));
  await expect(decompress(whole.subarray(0, whole.length - 4), 10_000)).rejects.toMatchObject({
    code: 'invalid',
  });
});

it('opens a bundle only under its own digest', async () => {
  const plain = Buffer.from('{"objects":[]}');
  const stored = await compress(plain);
  expect(await openBundle(stored, sha256(plain), 100)).toEqual(plain);
  await expect(openBundle(stored, sha256('other'), 100)).rejects.toMatchObject({ code: 'forbidden' });
});
