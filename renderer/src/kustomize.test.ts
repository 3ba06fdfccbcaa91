import { afterAll, beforeAll, expect, it } from 'vitest';
import { names, TestRenderer } from './testing.ts';

let renderer: TestRenderer;
beforeAll(async () => {
  renderer = await TestRenderer.start();
}, 300_000);
afterAll(() => renderer.pool.close());

const deployment =
  'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  selector: {matchLabels: {app: web}}\n  template:\n' +
  '    metadata: {labels: {app: web}}\n    spec: {containers: [{name: web, image: nginx, envFrom: [{configMapRef: {name: env}}]}]}\n';
const base = {
  'base/kustomization.yaml':
    'resources: [deployment.yaml]\nconfigMapGenerator: [{name: env, literals: [A=b], files: [conf/x.ini]}]\n',
  'base/deployment.yaml': deployment,
  'base/conf/x.ini': 'a=b',
  'app/kustomization.yaml': 'resources: [../base]\nimages: [{name: nginx, newTag: "1"}]\n',
};
type Any = any; // the shape of a Deployment is not the point here
const object = (result: { objects: { object: unknown }[] }, at = 1): Any => result.objects[at]!.object;

it('builds an overlay on a base outside its folder, with hashed generators', async () => {
  const result = await renderer.kustomize(base);
  expect(names(result)).toEqual([expect.stringMatching(/^ConfigMap\/env-[a-z0-9]{10}$/), 'Deployment/web']);
  const { containers } = object(result).spec.template.spec;
  expect(containers[0].image).toBe('nginx:1');
  expect(`ConfigMap/${containers[0].envFrom[0].configMapRef.name}`).toBe(names(result)[0]);
  expect(result.reads.files).toEqual([
    'app/kustomization.yaml',
    'base/conf/x.ini',
    'base/deployment.yaml',
    'base/kustomization.yaml',
  ]);
  expect(result.reads.absent).toContain('app/kustomization.yml');
});

it('lays the Application’s options over it as Argo CD does', async () => {
  const result = await renderer.kustomize(
    {
      ...base,
      'app/c/kustomization.yaml':
        'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches: [{patch: "- {op: add, path: /spec/paused, value: true}", target: {kind: Deployment}}]\n',
    },
    {
      namePrefix: '-p-',
      nameSuffix: '-s',
      namespace: 'shop',
      images: ['nginx=registry.io/nginx:$TAG'],
      replicas: [{ name: 'web', count: '3' }],
      commonLabels: { team: 'a' },
      commonAnnotations: { note: 'a: b, "$TAG"' },
      patches: [
        { patch: '[{"op":"add","path":"/spec/minReadySeconds","value":5}]', target: { kind: 'Deployment' } },
      ],
      components: ['c'],
      env: { TAG: '9' },
    },
  );
  const d = object(result);
  expect(d.metadata).toMatchObject({
    name: '-p-web-s',
    namespace: 'shop',
    labels: { team: 'a' },
    annotations: { note: 'a: b, "$TAG"' },
  });
  expect(d.spec).toMatchObject({
    replicas: 3,
    paused: true,
    selector: { matchLabels: { app: 'web', team: 'a' } },
  });
  expect(d.spec.template.spec.containers[0].image).toBe('registry.io/nginx:9');
});

it('keeps labels out of selectors where that is asked for', async () => {
  const d = object(
    await renderer.kustomize(base, {
      commonLabels: { team: 'a' },
      labelWithoutSelector: true,
      labelIncludeTemplates: true,
    }),
  );
  expect(d.spec.selector.matchLabels).toEqual({ app: 'web' });
  expect(d.spec.template.metadata.labels).toEqual({ app: 'web', team: 'a' });
});

it('overrides a label of the kustomization only when forced', async () => {
  const files = { ...base, 'app/kustomization.yaml': 'resources: [../base]\ncommonLabels: {team: b}\n' };
  await expect(renderer.kustomize(files, { commonLabels: { team: 'a' } })).rejects.toThrow(
    /already in kustomization file/,
  );
  const d = object(await renderer.kustomize(files, { commonLabels: { team: 'a' }, forceCommonLabels: true }));
  expect(d.metadata.labels.team).toBe('a');
});

it('refuses by name what would need a network, a plugin or a chart', async () => {
  const refused = async (kustomization: string, message: RegExp) =>
    await expect(renderer.kustomize({ 'app/kustomization.yaml': kustomization })).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringMatching(message),
    });
  await refused(
    'resources: ["https://github.com/a/b//base?ref=v1"]',
    /remote base https:\/\/github.com\/a\/b/,
  );
  await refused('resources: [github.com/a/b/base]', /remote base/);
  await refused('components: ["git@github.com:a/b.git"]', /remote base/);
  await refused('helmCharts: [{name: redis}]', /helmCharts/);
  await refused(
    'generators: ["apiVersion: x.io/v1\\nkind: Thing\\nmetadata: {name: x, annotations: {config.kubernetes.io/function: \\"exec: {path: ./run}\\"}}\\n"]',
    /not run/,
  );
});

it('never leaves the repository', async () => {
  await expect(
    renderer.kustomize({ 'app/kustomization.yaml': 'resources: [../../base]' }),
  ).rejects.toMatchObject({
    code: 'invalid',
    message: expect.stringContaining('out of the repository'),
  });
});

it('says what is missing, and where', async () => {
  await expect(
    renderer.kustomize({ 'app/kustomization.yaml': 'resources: [gone.yaml]' }),
  ).rejects.toMatchObject({
    code: 'not-found',
    where: 'app/kustomization.yaml',
    message: expect.stringContaining('gone.yaml'),
  });
  await expect(renderer.kustomize({ 'x/y': '' })).rejects.toMatchObject({ code: 'not-found', where: 'app' });
  await expect(renderer.kustomize(base, { components: ['gone'] })).rejects.toMatchObject({
    code: 'not-found',
  });
  expect(
    await renderer.kustomize(base, { components: ['gone'], ignoreMissingComponents: true }),
  ).toBeDefined();
  await expect(
    renderer.kustomize({ 'app/kustomization.yaml': 'resources: [a.yaml]', 'app/a.yaml': 'a: b\n c: d' }),
  ).rejects.toMatchObject({ code: 'invalid' });
});
