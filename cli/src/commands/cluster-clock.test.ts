import { expect, it } from 'vitest';
import { clockText } from './cluster.ts';

it('says how far a cluster’s clock is off, and warns above a minute', () => {
  expect(clockText(undefined)).toBeUndefined();
  expect(clockText(-400)).toBe("as the hub's");
  expect(clockText(30_000)).toBe("30s behind the hub's");
  expect(clockText(-600_000)).toBe(
    "10m ahead of the hub's: set it right (NTP); certificates and log times go by it",
  );
});
