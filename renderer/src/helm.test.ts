import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configMap, dataOf, names, TestRenderer } from './testing.ts';

let renderer: TestRenderer;
beforeAll(async () => {
  renderer = await TestRenderer.start();
}, 300_000);
afterAll(() => renderer.pool.close());

describe('values', () => {
  const template = { 'chart/templates/c.yaml': configMap('v: {{ .Values.v | quote }}') };

  it('are composed weakest first: the chart, value files in order, values, parameters', async () => {
    const files = {
      ...template,
      'chart/values.yaml': 'v: chart',
      'chart/one.yaml': 'v: one',
      'shared/two.yaml': 'v: two',
    };
    const v = async (source: object) => dataOf(await renderer.helm(files, source))['v'];
    expect(await v({})).toBe('chart');
    expect(await v({ valueFiles: ['one.yaml', '../shared/two.yaml'] })).toBe('two');
    expect(await v({ valueFiles: ['/shared/two.yaml', 'one.yaml'] })).toBe('one');
    expect(await v({ valueFiles: ['one.yaml'], values: 'v: text' })).toBe('text');
    expect(await v({ values: 'v: text', valuesObject: { v: 'object' } })).toBe('object');
    expect(await v({ values: 'v: text', parameters: [{ name: 'v', value: 'set' }] })).toBe('set');
  });

  it('from parameters are typed unless forced to be strings, and keep their commas', async () => {
    const parameters = [
      { name: 'n', value: '12' },
      { name: 's', value: '12', forceString: true },
      { name: 'c', value: 'a,b' },
      { name: 'l', value: '{a,b}' },
      { name: 'deep.key\\.dotted', value: 'true' },
    ];
    const result = await renderer.helm(
      { 'chart/templates/c.yaml': configMap('all: {{ toJson .Values | squote }}') },
      { parameters },
    );
    expect(JSON.parse(dataOf(result)['all'] as string)).toEqual({
      n: 12,
      s: '12',
      c: 'a,b',
      l: ['a', 'b'],
      deep: { 'key.dotted': true },
    });
  });

  it('from file parameters are the text of the file', async () => {
    const result = await renderer.helm(
      { ...template, 'chart/config.txt': 'a: b\n' },
      { fileParameters: [{ name: 'v', path: 'config.txt' }] },
    );
    expect(dataOf(result)['v']).toBe('a: b\n');
    expect(result.reads.files).toContain('chart/config.txt');
  });

  it('expand the build environment in parameters and paths only', async () => {
    const result = await renderer.helm(
      {
        'chart/templates/c.yaml': configMap('p: {{ .Values.p }}', 'q: {{ .Values.q | quote }}'),
        'chart/web.yaml': 'q: $NAME',
      },
      { env: { NAME: 'web' }, valueFiles: ['${NAME}.yaml'], parameters: [{ name: 'p', value: 'x-$NAME' }] },
    );
    expect(dataOf(result)).toEqual({ p: 'x-web', q: '$NAME' });
  });

  it('may come from files that are missing only where that is allowed', async () => {
    const missing = { valueFiles: ['gone.yaml'] };
    await expect(renderer.helm(template, missing)).rejects.toMatchObject({
      code: 'not-found',
      where: 'chart/gone.yaml',
    });
    const result = await renderer.helm(template, { ...missing, ignoreMissingValueFiles: true });
    expect(result.reads.absent).toContain('chart/gone.yaml');
  });

  it('are checked against the schema, unless that is skipped', async () => {
    const files = {
      ...template,
      'chart/values.schema.json':
        '{"type":"object","properties":{"v":{"type":"string"},"password":{"pattern":"^x"}}}',
    };
    const wrong = { valuesObject: { v: 5, password: 'hunter2-hunter2' } };
    const error = (await renderer.helm(files, wrong).catch((e: unknown) => e)) as Error;
    expect(error.message).toMatch(/at '\/v': got number, want string/);
    expect(error.message).not.toContain('hunter2');
    expect(dataOf(await renderer.helm(files, { ...wrong, skipSchemaValidation: true }))['v']).toBe('5');
  });

  it('are not checked against a schema from the network', async () => {
    const files = { ...template, 'chart/values.schema.json': '{"$ref":"https://example.org/schema.json"}' };
    await expect(renderer.helm(files)).rejects.toMatchObject({
      code: 'unsupported',
      where: 'chart/values.schema.json',
    });
  });
});

describe('a chart', () => {
  it('gives its CRDs first, manifests in install order, hooks last, and no notes', async () => {
    const files = {
      'chart/crds/a.yaml':
        'kind: CustomResourceDefinition\nmetadata: {name: crd}\n---\nkind: CustomResourceDefinition\nmetadata: {name: crd2}\n',
      'chart/templates/z.yaml':
        'kind: Namespace\nmetadata: {name: ns}\n---\n# nothing\n---\nkind: Deployment\nmetadata: {name: d}\n',
      'chart/templates/a.yaml': 'kind: Service\nmetadata: {name: s}\n',
      'chart/templates/hook.yaml':
        'kind: Job\nmetadata: {name: h, annotations: {helm.sh/hook: pre-install}}\n',
      'chart/templates/tests/t.yaml': 'kind: Pod\nmetadata: {name: t, annotations: {helm.sh/hook: test}}\n',
      'chart/templates/NOTES.txt': 'Thank you',
      'chart/templates/list.yaml': 'kind: List\nitems: [{kind: Secret, metadata: {name: l}}]\n',
    };
    const all = await renderer.helm(files);
    expect(names(all)).toEqual([
      'CustomResourceDefinition/crd',
      'CustomResourceDefinition/crd2',
      'Namespace/ns',
      'Service/s',
      'Deployment/d',
      'Secret/l',
      'Pod/t',
      'Job/h',
    ]);
    expect(all.objects.at(-1)!.file).toBe('chart/templates/hook.yaml');
    expect(names(await renderer.helm(files, { includeCRDs: false, skipTests: true }))).not.toContain('Pod/t');
  });

  it('has its dependencies from charts/ with conditions, tags, aliases and imported values', async () => {
    const sub = (name: string) => ({
      [`chart/charts/${name}/Chart.yaml`]: `apiVersion: v2\nname: ${name}\nversion: 1.0.0\n`,
      [`chart/charts/${name}/values.yaml`]: 'exports: {data: {port: 80}}\nmine: default\n',
      [`chart/charts/${name}/templates/c.yaml`]:
        'kind: ConfigMap\nmetadata: {name: {{ .Chart.Name }}-{{ .Values.mine }}}\n',
    });
    const files = {
      'chart/Chart.yaml':
        'apiVersion: v2\nname: chart\nversion: 1.0.0\ndependencies:\n' +
        '- {name: db, version: "1", alias: main, import-values: [data]}\n- {name: db, version: "1", alias: replica}\n' +
        '- {name: cache, version: "1", condition: cache.enabled}\n- {name: extra, version: "1", tags: [all]}\n',
      'chart/values.yaml': 'main: {mine: m}\ncache: {enabled: false}\ntags: {all: false}\n',
      'chart/templates/c.yaml': configMap('port: "{{ .Values.port }}"'),
      ...sub('db'),
      ...sub('cache'),
      ...sub('extra'),
    };
    const result = await renderer.helm(files);
    expect(names(result).sort()).toEqual(['ConfigMap/main-m', 'ConfigMap/replica-default', 'ConfigMap/web']);
    expect(
      names(
        await renderer.helm(files, {
          parameters: [
            { name: 'cache.enabled', value: 'true' },
            { name: 'tags.all', value: 'true' },
          ],
        }),
      ),
    ).toHaveLength(5);
  });

  it('uses library charts but is not one', async () => {
    const library = {
      'chart/charts/lib/Chart.yaml': 'apiVersion: v2\nname: lib\nversion: 1.0.0\ntype: library\n',
      'chart/charts/lib/templates/_name.tpl': '{{ define "lib.name" }}from-lib{{ end }}',
    };
    const files = { ...library, 'chart/templates/c.yaml': configMap('a: {{ include "lib.name" . }}') };
    expect(dataOf(await renderer.helm(files))).toEqual({ a: 'from-lib' });
    await expect(renderer.helm(files, { path: 'chart/charts/lib' })).rejects.toThrow(
      'library charts are not installable',
    );
  });

  it('says which declared dependency is not vendored', async () => {
    const chart =
      'apiVersion: v2\nname: chart\nversion: 1.0.0\ndependencies: [{name: redis, version: 1.x.x, repository: "https://example.org"}]\n';
    await expect(renderer.helm({ 'chart/Chart.yaml': chart })).rejects.toMatchObject({
      code: 'invalid',
      where: 'chart/Chart.yaml',
      message: expect.stringContaining('redis'),
    });
  });

  it('leaves out what .helmignore names, and finds nothing by lookup', async () => {
    const files = {
      'chart/.helmignore': '*.bak\nsecret/\n',
      'chart/templates/old.yaml.bak': 'kind: Old\n',
      'chart/secret/x.txt': 'x',
      'chart/templates/c.yaml': configMap(
        'found: "{{ len (lookup "v1" "Secret" "a" "b") }}"',
        'f: "{{ .Files.Get "secret/x.txt" }}"',
      ),
    };
    const result = await renderer.helm(files);
    expect(dataOf(result)).toEqual({ found: '0', f: '' });
    expect(result.reads.files).not.toContain('chart/secret/x.txt');
  });

  it('is told the cluster’s versions, and asking for them is recorded', async () => {
    const asking = configMap(
      'v: {{ .Capabilities.KubeVersion.Version }} {{ .Capabilities.KubeVersion }} {{ .Capabilities.KubeVersion.Minor }}',
      'has: "{{ .Capabilities.APIVersions.Has "x.io/v1" }}"',
    );
    const result = await renderer.helm(
      { 'chart/templates/c.yaml': asking },
      { kubeVersion: '1.31.4-gke.1', apiVersions: ['x.io/v1'] },
    );
    expect(dataOf(result)).toEqual({ v: 'v1.31.4-gke.1 v1.31.4 31', has: 'true' });
    expect(result.used).toEqual({ clock: false, random: false, capabilities: true });
    expect((await renderer.helm({ 'chart/templates/c.yaml': configMap('a: b') })).used.capabilities).toBe(
      false,
    );
    const all = configMap('v: {{ (toJson .) | contains "v1.30.0" | quote }}');
    expect(
      (await renderer.helm({ 'chart/templates/c.yaml': all }, { kubeVersion: '1.30.0' })).used.capabilities,
    ).toBe(true);
  });

  it('may demand a version of Kubernetes', async () => {
    const files = {
      'chart/Chart.yaml': 'apiVersion: v2\nname: chart\nversion: 1.0.0\nkubeVersion: ">=1.30"\n',
    };
    await expect(renderer.helm(files, { kubeVersion: '1.29.0' })).rejects.toThrow(
      /requires kubeVersion: >=1.30.*v1.29.0/,
    );
    expect((await renderer.helm(files, { kubeVersion: '1.30.0' })).used.capabilities).toBe(true);
  });

  it('is read as Kubernetes reads YAML', async () => {
    const result = await renderer.helm({
      'chart/templates/c.yaml': 'kind: X\nmode: 0644\na: yes\nb: on\nc: "yes"\nd: 1e3\ne: 0x10\nf: ~\n',
    });
    expect(result.objects[0]!.object).toEqual({
      kind: 'X',
      mode: 420,
      a: true,
      b: true,
      c: 'yes',
      d: 1000,
      e: 16,
      f: null,
    });
  });
});

describe('an error', () => {
  it('has the file and line of the template', async () => {
    const files = { 'chart/templates/c.yaml': configMap('a: b', 'b: {{ .Values.a.b.c }}') };
    await expect(renderer.helm(files)).rejects.toMatchObject({
      code: 'invalid',
      where: 'chart/templates/c.yaml:7',
    });
    const broken = { 'chart/templates/c.yaml': 'a: {{ if }}\n' };
    await expect(renderer.helm(broken)).rejects.toMatchObject({
      code: 'invalid',
      where: 'chart/templates/c.yaml:1',
    });
  });

  it('in a helper has the place in the helper', async () => {
    const files = {
      'chart/templates/_h.tpl': '{{ define "h" }}\n{{ fail "name is needed" }}{{ end }}',
      'chart/templates/c.yaml': '{{ include "h" . }}',
    };
    await expect(renderer.helm(files)).rejects.toThrow('name is needed');
  });

  it('names the template whose output is not YAML, and what is not an object', async () => {
    await expect(renderer.helm({ 'chart/templates/c.yaml': 'a: b\n c: {{ "d" }}\n' })).rejects.toMatchObject({
      where: 'chart/templates/c.yaml:2',
    });
    await expect(renderer.helm({ 'chart/templates/c.yaml': '- a\n' })).rejects.toMatchObject({
      where: 'chart/templates/c.yaml',
    });
  });

  it('does not repeat a text from the values', async () => {
    const files = { 'chart/templates/c.yaml': configMap('a: {{ tpl .Values.t . }}') };
    const error = (await renderer
      .helm(files, { values: 't: "hunter2 {{ .nope.x }}"' })
      .catch((e: unknown) => e)) as Error;
    expect(error.message).not.toContain('hunter2');
  });

  it('says that there is no chart, and refuses what it cannot fetch', async () => {
    await expect(renderer.helm({}, { path: 'other' })).rejects.toMatchObject({
      code: 'not-found',
      where: 'other/Chart.yaml',
    });
    await expect(renderer.helm({}, { valueFiles: ['https://example.org/v.yaml'] })).rejects.toMatchObject({
      code: 'unsupported',
    });
    await expect(renderer.helm({}, { valueFiles: ['../../../etc/passwd'] })).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('out of the repository'),
    });
    await expect(renderer.helm({}, { path: '../x' })).rejects.toMatchObject({ code: 'invalid' });
  });
});
