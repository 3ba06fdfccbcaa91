import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { pending, readMigrations } from './migrations.ts';

const step = (name: string, checksum = name) => ({ name, checksum, sql: '' });

test('applies what is new, in order', () => {
  const steps = [step('0001'), step('0002'), step('0003')];
  expect(pending(steps, [step('0001')]).map(({ name }) => name)).toEqual(['0002', '0003']);
});

test('refuses a database of a newer version', () => {
  expect(() => pending([step('0001')], [step('0001'), step('0002')])).toThrow(
    'the database has migration 0002, which this version does not know',
  );
});

test('refuses a step that changed after it had been applied', () => {
  expect(() => pending([step('0001', 'new')], [step('0001', 'old')])).toThrow(
    'migration 0001 was changed after it had been applied',
  );
});

test('released steps are as they were released', () => {
  const released = JSON.parse(
    readFileSync(new URL('./migrations/released.json', import.meta.url), 'utf8'),
  ) as Record<string, string>;
  const steps = new Map(readMigrations().map(({ name, checksum }) => [name, checksum]));
  for (const [name, checksum] of Object.entries(released))
    expect([name, steps.get(name)]).toEqual([name, checksum]);
});
