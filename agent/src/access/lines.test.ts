import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineSplitter } from './lines.ts';

test('lines are the same however the bytes are cut', () => {
  const line = fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => text.replace(/[\n\r]/g, ''));
  fc.assert(
    fc.property(fc.array(line, { minLength: 1 }), fc.array(fc.nat(50)), (lines, cuts) => {
      const bytes = Buffer.from(`${lines.join('\n')}\n`);
      const splitter = new LineSplitter(1_000);
      const found: string[] = [];
      let at = 0;
      for (const cut of cuts) {
        found.push(...splitter.push(bytes.subarray(at, at + cut)));
        at = Math.min(at + cut, bytes.length);
      }
      found.push(...splitter.push(bytes.subarray(at)), ...splitter.end());
      expect(found).toEqual(lines);
    }),
  );
});

test('a line without an end is told at the end, one that is too long loses its own', () => {
  const splitter = new LineSplitter(5);
  expect(splitter.push(Buffer.from('ab\r\n1234567\nrest'))).toEqual(['ab', '12345…']);
  expect(splitter.end()).toEqual(['rest']);
  expect(splitter.end()).toEqual([]);
});
