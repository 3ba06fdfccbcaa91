// `npm run generate`: protocol code, OpenAPI document, configuration reference. All are committed and verified.
import { join } from 'node:path';
import { bin, root, run } from './context.ts';

let failed = 0;
failed += await run(bin('buf'), ['generate'], { cwd: join(root, 'proto') });
// With --baseline: what agents in the field speak from now on (done at a release).
if (process.argv.includes('--baseline')) {
  failed += await run(bin('buf'), ['build', '-o', 'baseline.binpb'], { cwd: join(root, 'proto') });
}
// The hub's OpenAPI document, access table and configuration reference, written by the tests that verify them.
failed += await run('npm', ['run', 'generate', '--workspace', '@muster/hub']);
process.exit(failed === 0 ? 0 : 1);
