import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chooseConnection, type CliConfig, normalizeUrl, readCliConfig, writeCliConfig } from './config.ts';

const config: CliConfig = {
  current: 'one',
  hubs: {
    one: { url: 'https://one.example', token: 'mst_1' },
    two: { url: 'https://two.example', token: 'mst_2' },
  },
};

describe('which hub to talk to', () => {
  it('is the current context where nothing is said', () => {
    expect(chooseConnection({}, {}, config)).toEqual({
      hub: 'https://one.example',
      token: 'mst_1',
      context: 'one',
    });
  });

  it('prefers flags to the environment, and the environment to the file', () => {
    expect(chooseConnection({ context: 'two' }, { hub: 'https://x.example' }, config).hub).toBe(
      'https://two.example',
    );
    expect(chooseConnection({}, { context: 'two' }, config).token).toBe('mst_2');
    expect(chooseConnection({ token: 'mst_f' }, { token: 'mst_e' }, config).token).toBe('mst_f');
  });

  it('never sends the token of one hub to another', () => {
    expect(chooseConnection({ hub: 'https://evil.example' }, {}, config).token).toBeUndefined();
    expect(chooseConnection({ hub: 'https://two.example/' }, {}, config).token).toBe('mst_2');
    expect(
      chooseConnection({ hub: 'https://evil.example', context: 'one' }, {}, config).token,
    ).toBeUndefined();
  });

  it('says what to do when there is none', () => {
    expect(() => chooseConnection({}, {}, { hubs: {} })).toThrow('no hub is known');
    expect(() => chooseConnection({ context: 'three' }, {}, config)).toThrow('three');
  });

  it.each([
    ['localhost:8080', 'http://localhost:8080'],
    ['127.0.0.1:1/', 'http://127.0.0.1:1'],
    ['muster.example.com', 'https://muster.example.com'],
    ['http://x/base/', 'http://x/base'],
  ])('reads %s as %s', (text, url) => expect(normalizeUrl(text)).toBe(url));

  it.each(['ftp://x', 'http://', 'a b'])('refuses %j as an address', (text) => {
    expect(() => normalizeUrl(text)).toThrow('not the address of a hub');
  });
});

describe('the configuration file', () => {
  let folder: string;
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'muster-cli-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is readable by its owner only, and comes back as written', () => {
    const file = join(folder, 'deep', 'config.json');
    expect(readCliConfig(file)).toEqual({ hubs: {} });
    writeCliConfig(file, config);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readCliConfig(file)).toEqual(config);
    expect(readFileSync(file, 'utf8')).toContain('\n');
  });
});
