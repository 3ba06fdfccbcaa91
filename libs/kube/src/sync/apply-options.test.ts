import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../object.ts';
import { applyOptionsOf, isRecreatable, undeclaredFields } from './apply-options.ts';

const object = (options?: string, rest: Partial<KubeObject> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', ...(options && { annotations: { 'argocd.argoproj.io/sync-options': options } }) },
  ...rest,
});

describe('how an object is written', () => {
  const none = () => undefined;

  it('is server-side apply, checked, unless something else is said', () => {
    expect(applyOptionsOf(object(), none)).toEqual({ replace: false, force: false, validate: true });
  });

  it('is what the Application says, and before that what the object says', () => {
    const all = { Replace: 'true', Force: 'true', Validate: 'false' };
    expect(applyOptionsOf(object(), (option) => all[option])).toEqual({
      replace: true,
      force: true,
      validate: false,
    });
    const own = object('Replace=false, Validate=true');
    expect(applyOptionsOf(own, (option) => all[option])).toEqual({
      replace: false,
      force: true,
      validate: true,
    });
  });

  it('never is made anew where that would take data along', () => {
    const kind = (apiVersion: string, name: string) => isRecreatable(object('', { apiVersion, kind: name }));
    expect(kind('batch/v1', 'Job')).toBe(true);
    expect(kind('example.org/v1', 'Namespace')).toBe(true);
    expect(kind('v1', 'Namespace')).toBe(false);
    expect(kind('v1', 'PersistentVolumeClaim')).toBe(false);
    expect(kind('apiextensions.k8s.io/v1', 'CustomResourceDefinition')).toBe(false);
  });
});

describe('fields that a type does not have', () => {
  it('are read from what the API server says, one or many', () => {
    const one =
      'failed to create typed patch object (default/a; apps/v1, Kind=Deployment): .spec.foo: field not declared in schema';
    expect(undeclaredFields(one)).toEqual([['spec', 'foo']]);
    const many =
      'failed to create typed patch object (default/a; apps/v1, Kind=Deployment): errors:\n' +
      '  .spec.foo: field not declared in schema\n' +
      '  .spec.template.spec.containers[name="main"].bar: field not declared in schema\n' +
      '  .spec.ports[port=80,protocol="TCP"].baz: field not declared in schema';
    expect(undeclaredFields(many)).toEqual([
      ['spec', 'foo'],
      ['spec', 'template', 'spec', 'containers', { keys: { name: 'main' } }, 'bar'],
      ['spec', 'ports', { keys: { port: 80, protocol: 'TCP' } }, 'baz'],
    ]);
    expect(undeclaredFields('Deployment.apps "a" is invalid: spec.selector: field is immutable')).toEqual([]);
  });
});
