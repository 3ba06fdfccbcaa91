import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { main } from './program.ts';
import { recordingTerminal } from './testing/terminal.ts';

const folder = mkdtempSync(join(tmpdir(), 'muster-generate-external-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

async function generate(generator: object, ...args: string[]) {
  const terminal = recordingTerminal();
  const set = file('set.yaml', {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'ApplicationSet',
    metadata: { name: 'shop' },
    spec: {
      generators: [generator],
      template: {
        metadata: { name: 'shop-{{name}}' },
        spec: { project: 'default', source: { repoURL: 'https://git.test/x' }, destination: { name: 'x' } },
      },
    },
  });
  const code = await main(['appset', 'generate', '-f', set, '-o', 'name', ...args], {
    terminal,
    environment: { configFile: join(folder, 'config.json'), mayColour: false },
    signal: new AbortController().signal,
  });
  return { code, out: terminal.output.trim(), notes: terminal.notes };
}

const plugin = { plugin: { configMapRef: { name: 'fleet' } } };

test('what a plugin answers comes from a file, whole or as the list', async () => {
  const whole = file('whole.json', { output: { parameters: [{ name: 'a' }, { name: 'b' }] } });
  expect(await generate(plugin, '--plugin', `fleet=${whole}`)).toMatchObject({
    code: 0,
    out: 'shop-a\nshop-b',
  });
  const list = file('list.json', [{ name: 'c' }]);
  expect(await generate(plugin, '--plugin', `fleet=${list}`)).toMatchObject({ code: 0, out: 'shop-c' });
});

test('nothing is called offline, and a file of another shape is named', async () => {
  const without = await generate(plugin);
  expect(without.code).not.toBe(0);
  expect(String(without.notes)).toContain('no answer of the plugin fleet was given');
  const wrong = file('wrong.json', { output: { parameters: ['x'] } });
  expect(String((await generate(plugin, '--plugin', `fleet=${wrong}`)).notes)).toContain(
    'wrong.json): ApplicationGenerationFromParamsError: error listing params: must be',
  );
  expect(String((await generate(plugin, '--plugin', 'fleet')).notes)).toContain('is not NAME=FILE');
});

test('decisions and their ConfigMap come from files', async () => {
  const generator = { clusterDecisionResource: { configMapRef: 'ducks', name: 'quak' } };
  const resources = file(
    'resources.yaml',
    `apiVersion: v1
kind: ConfigMap
metadata: {name: ducks}
data: {apiVersion: mallard.io/v1beta1, kind: ducks, statusListKey: decisions, matchKey: clusterName}
---
apiVersion: mallard.io/v1beta1
kind: Duck
metadata: {name: quak}
status: {decisions: [{clusterName: prod}, {clusterName: unknown}, {clusterName: in-cluster}]}
`,
  );
  const clusters = file('clusters.yaml', [{ name: 'prod', server: 'https://prod' }]);
  const given = ['--resources', resources, '--clusters', clusters];
  expect(await generate(generator, ...given)).toMatchObject({ code: 0, out: 'shop-in-cluster\nshop-prod' });
  expect(String((await generate(generator)).notes)).toContain('the ConfigMap ducks was not given');
});
