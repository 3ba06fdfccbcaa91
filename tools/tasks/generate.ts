// `npm run generate`: protocol code, OpenAPI document, configuration reference. All are committed and verified.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { bin, root, run } from './context.ts';

let failed = 0;
failed += await run(bin('buf'), ['generate'], { cwd: join(root, 'proto') });
// With --baseline: what agents in the field speak from now on (done at a release).
if (process.argv.includes('--baseline')) {
  failed += await run(bin('buf'), ['build', '-o', 'baseline.binpb'], { cwd: join(root, 'proto') });
}
const golden = join(root, 'hub', 'generate.mjs');
if (existsSync(golden)) failed += await run(process.execPath, [golden]);
process.exit(failed === 0 ? 0 : 1);
