import { expect, it } from 'vitest';
import { splitAddress } from './hub-ca.ts';

it('splits addresses, also those of IPv6', () => {
  expect(splitAddress('hub.example:7443')).toEqual({ host: 'hub.example', port: 7443 });
  expect(splitAddress('[::1]:7443')).toEqual({ host: '::1', port: 7443 });
});
