// For `node --import`: what runs is the program's sources, in this thread and in those it starts. What is tested is never an earlier build.
import { register } from 'node:module';
import './threads-from-source.mjs';

register('./source-hooks.mjs', import.meta.url);
