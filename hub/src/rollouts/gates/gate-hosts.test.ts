import { expect, it } from 'vitest';
import { addressRefusal, hostRefusal } from './gate-hosts.ts';

it.each([
  [undefined, 'https://example.org/', false],
  [['example.org'], 'https://example.org:8443/x', true],
  [['example.org'], 'https://sub.example.org/', false],
  [['example.org'], 'https://example.org.evil.net/', false],
  [['*.example.org'], 'https://a.b.example.org/', true],
  [['*.example.org'], 'https://example.org/', false],
  [['example.org:8443'], 'https://example.org/', false],
  [['example.org:443'], 'https://EXAMPLE.org/', true],
  [['10.1.0.0/16'], 'http://10.1.2.3/', true],
  [['10.1.0.0/16'], 'http://10.2.2.3/', false],
  [['127.0.0.1:80'], 'http://127.0.0.1/', true],
  [['127.0.0.1:80'], 'http://127.0.0.1:81/', false],
  // Node.js writes the address out before anything is compared.
  [['example.org'], 'http://0x7f000001/', false],
  [['fd00::1'], 'http://[fd00::1]/', true],
  [['[fd00::1]:8080'], 'http://[fd00::1]:8080/', true],
])('with %j, %s may be asked: %s', (hosts, url, allowed) => {
  expect(hostRefusal(hosts, url) === undefined).toBe(allowed);
});

it.each([
  ['93.184.216.34', true],
  ['10.0.0.5', true],
  ['127.0.0.1', false],
  ['::1', false],
  ['0.0.0.0', false],
  ['169.254.169.254', false],
  ['::ffff:169.254.169.254', false],
  ['::ffff:a9fe:a9fe', false],
  ['fe80::1', false],
  ['fd00:ec2::254', false],
  ['100.100.100.200', false],
  ['nonsense', false],
])('a name that resolves to %s may be asked: %s', (address, allowed) => {
  expect(addressRefusal(['example.org'], address) === undefined).toBe(allowed);
});

it('an address that is listed may be asked whatever it is', () => {
  expect(addressRefusal(['localhost', '127.0.0.0/8'], '127.0.0.1')).toBeUndefined();
  expect(addressRefusal(['localhost', '127.0.0.1:9090'], '127.0.0.1')).toBeUndefined();
  expect(addressRefusal(['localhost'], '127.0.0.1')).toBe(
    'it resolves to 127.0.0.1, which MUSTER_GATE_HOSTS does not list',
  );
});
