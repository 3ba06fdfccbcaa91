import { expect, test } from 'vitest';
import { readConfig } from './config.ts';
import { configurationReference } from './config-reference.ts';

test('an empty environment is a local hub', () => {
  const config = readConfig({});
  expect(config).toMatchObject({
    local: true,
    createKeys: true,
    allowFileRepositories: true,
    httpPort: 8080,
  });
  expect(config.keysDir).toBe(`${config.dataDir}/keys`);
});

test('every wrong setting is named, with what is wrong, and its value is not repeated', () => {
  expect(() =>
    readConfig({
      MUSTER_HTTP_PORT: '70000',
      DATABASE_URL: 'mysql://u:hunter2@h/d',
      MUSTER_GATEWAY_ADDRESS: 'nowhere',
    }),
  ).toThrow(
    'DATABASE_URL is not a URL that starts with postgres:// or postgresql://; MUSTER_HTTP_PORT is not between 0 and 65535; MUSTER_GATEWAY_ADDRESS is not HOST:PORT',
  );
});

test('a misspelt setting is named', () => {
  expect(() => readConfig({ MUSTER_POLL_SECOND: '5' })).toThrow(
    'MUSTER_POLL_SECOND is not a setting of the hub',
  );
});

test('an empty value counts as not set', () => {
  expect(readConfig({ REDIS_URL: '', MUSTER_HTTP_PORT: '' })).toMatchObject({
    redisUrl: undefined,
    httpPort: 8080,
  });
});

test('keys are not made up for a hub that shares a database and names its keys folder', () => {
  expect(readConfig({ DATABASE_URL: 'postgres://db/muster', MUSTER_KEYS_DIR: '/keys' }).createKeys).toBe(
    false,
  );
});

test('docs/configuration.md says what the schema says', async () => {
  await expect(configurationReference()).toMatchFileSnapshot('../../docs/configuration.md');
});
