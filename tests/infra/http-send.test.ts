import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { sendJson } from '../../infra/http/send.js';

const answering = (): ServerResponse => new ServerResponse(new IncomingMessage(new Socket()));

test('answers that are ready in one turn of the event loop are written together at its end', async () => {
  const answers = [answering(), answering(), answering()];
  answers.forEach((answer, number) => sendJson(answer, 200, { number }));
  expect(answers.map(({ headersSent, writableEnded }) => ({ headersSent, writableEnded }))).toEqual(answers.map(() => ({ headersSent: true, writableEnded: false })));
  await turn();
  expect(answers.map(({ writableEnded }) => writableEnded)).toEqual([true, true, true]);
  const late = answering();
  sendJson(late, 503, {});
  await turn();
  expect(late.writableEnded).toBe(true);
});
