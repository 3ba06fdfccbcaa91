import { expect, test } from 'vitest';
import { eventually } from './wait.ts';

test('answers the first truthy value, however often it was falsy or thrown before', async () => {
  let calls = 0;
  const look = () => {
    calls++;
    if (calls === 1) throw new Error('not yet');
    return calls === 3 && 'there';
  };
  expect(await eventually(look, { what: 'it', interval: 1 })).toBe('there');
});

test('says what was waited for and what was last seen', async () => {
  const options = { what: 'the lamp', timeout: 5, interval: 1 };
  await expect(eventually((see) => see({ lit: false }).lit, options)).rejects.toThrow(
    'waited 0 s for the lamp; last saw { lit: false }',
  );
  await expect(eventually(() => undefined, options)).rejects.toThrow('last saw undefined');
  const broken = () => {
    throw new TypeError('no lamp');
  };
  await expect(eventually(broken, options)).rejects.toThrow('last saw TypeError: no lamp');
});

test('ends at once when its signal is aborted', async () => {
  const over = new AbortController();
  const waiting = eventually(() => false, { what: 'it', interval: 10_000, signal: over.signal });
  over.abort();
  await expect(waiting).rejects.toThrow(/abort/i);
});
