/**
 * The shape of an Application as Argo CD 3.6 declares it, in declaration order: what is rendered first, which
 * empty values its JSON leaves out, and what type a patch must have all follow from it.
 */
export type Shape =
  | { kind: 'string' | 'bool' | 'int' | 'intOrString' | 'raw' | 'any' }
  | { kind: 'map'; of: Shape }
  | { kind: 'list'; of: Shape; merge?: true }
  | { kind: 'struct'; name: string; fields: Map<string, Field> };

export interface Field {
  name: string;
  shape: Shape;
  /** Left out of JSON when it is zero. Structs are never zero to Go, pointers only when absent. */
  omitEmpty: boolean;
  /** A pointer: present zero values stay. */
  pointer: boolean;
}

export type StructShape = Extract<Shape, { kind: 'struct' }>;

const string: Shape = { kind: 'string' };
const bool: Shape = { kind: 'bool' };
const int: Shape = { kind: 'int' };
const list = (of: Shape): Shape => ({ kind: 'list', of });
const map = (of: Shape): Shape => ({ kind: 'map', of });
const strings = list(string);
const stringMap = map(string);

const field = (name: string, shape: Shape, omitEmpty: boolean, pointer: boolean): Field => ({
  name,
  shape,
  omitEmpty,
  pointer,
});
/** `name,omitempty` of a value. */
const opt = (name: string, shape: Shape = string) => field(name, shape, true, false);
/** A field that is always written. */
const req = (name: string, shape: Shape = string) => field(name, shape, false, false);
/** A pointer with omitempty. */
const ptr = (name: string, shape: Shape) => field(name, shape, true, true);

const struct = (name: string, ...fields: Field[]): StructShape => ({
  kind: 'struct',
  name,
  fields: new Map(fields.map((f) => [f.name, f])),
});

const helm = struct(
  'ApplicationSourceHelm',
  opt('valueFiles', strings),
  opt('parameters', list(struct('HelmParameter', opt('name'), opt('value'), opt('forceString', bool)))),
  opt('releaseName'),
  opt('values'),
  opt('fileParameters', list(struct('HelmFileParameter', opt('name'), opt('path')))),
  opt('version'),
  opt('passCredentials', bool),
  opt('ignoreMissingValueFiles', bool),
  opt('skipCrds', bool),
  ptr('valuesObject', { kind: 'raw' }),
  opt('namespace'),
  opt('kubeVersion'),
  opt('apiVersions', strings),
  opt('skipTests', bool),
  opt('skipSchemaValidation', bool),
);

const selector = struct(
  'KustomizeSelector',
  opt('group'),
  opt('version'),
  opt('kind'),
  opt('name'),
  opt('namespace'),
  opt('annotationSelector'),
  opt('labelSelector'),
);

const kustomize = struct(
  'ApplicationSourceKustomize',
  opt('namePrefix'),
  opt('nameSuffix'),
  opt('images', strings),
  opt('commonLabels', stringMap),
  opt('version'),
  opt('commonAnnotations', stringMap),
  opt('forceCommonLabels', bool),
  opt('forceCommonAnnotations', bool),
  opt('namespace'),
  opt('commonAnnotationsEnvsubst', bool),
  opt('replicas', list(struct('KustomizeReplica', req('name'), req('count', { kind: 'intOrString' })))),
  opt(
    'patches',
    list(
      struct('KustomizePatch', opt('path'), opt('patch'), ptr('target', selector), opt('options', map(bool))),
    ),
  ),
  opt('components', strings),
  opt('ignoreMissingComponents', bool),
  opt('labelWithoutSelector', bool),
  opt('kubeVersion'),
  opt('apiVersions', strings),
  opt('labelIncludeTemplates', bool),
);

const jsonnetVars = list(struct('JsonnetVar', req('name'), req('value'), opt('code', bool)));
const directory = struct(
  'ApplicationSourceDirectory',
  opt('recurse', bool),
  // Left out when it is zero (omitzero), the only struct that is.
  field(
    'jsonnet',
    struct(
      'ApplicationSourceJsonnet',
      opt('extVars', jsonnetVars),
      opt('tlas', jsonnetVars),
      opt('libs', strings),
    ),
    true,
    false,
  ),
  opt('exclude'),
  opt('include'),
  opt('disableExtensionFilter', bool),
);

const plugin = struct(
  'ApplicationSourcePlugin',
  opt('name'),
  opt('env', list(struct('EnvEntry', req('name'), req('value')))),
  opt(
    'parameters',
    list(
      struct(
        'ApplicationSourcePluginParameter',
        req('name'),
        ptr('string', string),
        ptr('map', stringMap),
        ptr('array', strings),
      ),
    ),
  ),
);

const source = struct(
  'ApplicationSource',
  req('repoURL'),
  opt('path'),
  opt('targetRevision'),
  ptr('helm', helm),
  ptr('kustomize', kustomize),
  ptr('directory', directory),
  ptr('plugin', plugin),
  opt('chart'),
  opt('ref'),
  opt('name'),
  opt('tagPrefix'),
);

const retry = struct(
  'RetryStrategy',
  opt('limit', int),
  ptr('backoff', struct('Backoff', opt('duration'), ptr('factor', int), opt('maxDuration'))),
  opt('refresh', bool),
);
const info = struct('Info', req('name'), req('value'));

const syncPolicy = struct(
  'SyncPolicy',
  ptr(
    'automated',
    struct(
      'SyncPolicyAutomated',
      ptr('prune', bool),
      ptr('selfHeal', bool),
      ptr('allowEmpty', bool),
      ptr('enabled', bool),
    ),
  ),
  opt('syncOptions', strings),
  ptr('retry', retry),
  ptr(
    'managedNamespaceMetadata',
    struct('ManagedNamespaceMetadata', opt('labels', stringMap), opt('annotations', stringMap)),
  ),
);

const sourceHydrator = struct(
  'SourceHydrator',
  req(
    'drySource',
    struct(
      'DrySource',
      req('repoURL'),
      req('targetRevision'),
      req('path'),
      ptr('helm', helm),
      ptr('kustomize', kustomize),
      ptr('directory', directory),
      ptr('plugin', plugin),
    ),
  ),
  req('syncSource', struct('SyncSource', req('targetBranch'), req('path'), opt('repoURL'))),
  ptr('hydrateTo', struct('HydrateTo', req('targetBranch'))),
);

const specShape = struct(
  'ApplicationSpec',
  ptr('source', source),
  req('destination', struct('ApplicationDestination', opt('server'), opt('namespace'), opt('name'))),
  req('project'),
  ptr('syncPolicy', syncPolicy),
  opt(
    'ignoreDifferences',
    list(
      struct(
        'ResourceIgnoreDifferences',
        opt('group'),
        req('kind'),
        opt('name'),
        opt('namespace'),
        opt('jsonPointers', strings),
        opt('jqPathExpressions', strings),
        opt('managedFieldsManagers', strings),
      ),
    ),
  ),
  opt('info', list(info)),
  ptr('revisionHistoryLimit', int),
  opt('sources', list(source)),
  ptr('sourceHydrator', sourceHydrator),
);

const force = [opt('force', bool)];
const operation = struct(
  'Operation',
  ptr(
    'sync',
    struct(
      'SyncOperation',
      opt('revision'),
      opt('prune', bool),
      opt('dryRun', bool),
      ptr(
        'syncStrategy',
        struct(
          'SyncStrategy',
          ptr('apply', struct('SyncStrategyApply', ...force)),
          ptr('hook', struct('SyncStrategyHook', ...force)),
        ),
      ),
      opt(
        'resources',
        list(struct('SyncOperationResource', opt('group'), req('kind'), req('name'), opt('namespace'))),
      ),
      ptr('source', source),
      opt('manifests', strings),
      opt('syncOptions', strings),
      opt('sources', list(source)),
      opt('revisions', strings),
      opt('autoHealAttemptsCount', int),
    ),
  ),
  opt('initiatedBy', struct('OperationInitiator', opt('username'), opt('automated', bool))),
  opt('info', list(info)),
  opt('retry', retry),
);

/** Metadata in the order in which it is rendered; finalizers are the one list that a patch unites. */
const metadataShape = struct(
  'ObjectMeta',
  opt('name'),
  opt('generateName'),
  opt('namespace'),
  opt('labels', stringMap),
  opt('annotations', stringMap),
  opt('finalizers', { kind: 'list', of: string, merge: true }),
);

/** What the template of an ApplicationSet may hold. */
export const templateShape = struct(
  'ApplicationSetTemplate',
  req('metadata', metadataShape),
  req('spec', specShape),
);

/** What a templatePatch may hold; `status` is accepted and dropped. */
export const applicationShape = struct(
  'Application',
  opt('kind'),
  opt('apiVersion'),
  req('metadata', metadataShape),
  req('spec', specShape),
  opt('status', { kind: 'any' }),
  ptr('operation', operation),
);
