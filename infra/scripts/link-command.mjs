/** Put `millrace` beside the other commands of a clone: without it, `npx millrace` packs and builds the clone anew each time. */
import { chmodSync, existsSync, rmSync, symlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const from = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const [folder, link, command] = [from('node_modules/.bin'), from('node_modules/.bin/millrace'), from('dist/pipeline/cli/millrace.js')];

if (existsSync(folder) && existsSync(command)) {
  try {
    chmodSync(command, 0o755);
    rmSync(link, { force: true });
    symlinkSync('../../dist/pipeline/cli/millrace.js', link);
  } catch (error) {
    process.stderr.write(`No link for npx (${error.message}): npx millrace works, but builds each time.\n`);
  }
}
