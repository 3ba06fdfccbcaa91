import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Canaries } from './canaries.ts';

const canaries = new Canaries();
const secret = canaries.plant('here');
const base64 = (text: string) => Buffer.from(text).toString('base64');
const forms: Record<string, string> = {
  plain: `redis://:${secret}@redis`,
  'a part of it': `... ${secret.slice(7, 19)} ...`,
  'in JSON inside of JSON': JSON.stringify({ a: JSON.stringify({ b: `"${secret}"` }) }),
  'in a URL': encodeURIComponent(`?token=${secret}&x=y`),
  'in base64': base64(secret),
  'in base64, one byte further': base64(`x${secret}y`),
  'in base64, two bytes further': base64(`xy${secret}`),
  'in base64 of base64': base64(`{"data":"${base64(secret)}"}`),
  'in hex': Buffer.from(`x${secret}`).toString('hex'),
};

describe('a canary', () => {
  it.each(Object.keys(forms))('is found %s', (form) => {
    expect(canaries.in(forms[form]!)[0]).toMatchObject({ planted: 'here' });
  });

  it('is found in compressed bytes', () => {
    const bytes = Buffer.from(secret);
    for (const packed of [zstdCompressSync(bytes), gzipSync(bytes)])
      expect(canaries.inBytes(Buffer.concat([Buffer.from('head'), packed]))).not.toEqual([]);
  });

  it('is not found where it is not', () => {
    expect(canaries.in(`${secret.slice(0, 11)} ${secret.slice(-11)}`)).toEqual([]);
    expect(canaries.inBytes(Buffer.from(new Canaries().plant('here')))).toEqual([]);
  });
});
