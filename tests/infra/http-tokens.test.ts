import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { shopperOf } from '../../infra/http/keys.js';
import { decodeToken, encodeToken } from '../../infra/http/position-token.js';
import { textOf } from '../support/pages.js';
import { NOW, SECRET, signShopper } from './http-server.js';

describe('shopper tokens', () => {
  test('hold for their shopper, secret and time', () => {
    const token = signShopper('ü/1', SECRET, NOW + 1000);
    expect(shopperOf(token, SECRET, NOW)).toBe('ü/1');
    expect(shopperOf(token, SECRET, NOW + 2000)).toBeUndefined();
    expect(shopperOf(token, 'other', NOW)).toBeUndefined();
    expect(shopperOf(token, '', NOW)).toBeUndefined();
    expect(shopperOf(signShopper('u', '', NOW + 1000), '', NOW)).toBeUndefined();
    const [, payload] = token.split('.');
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`;
    expect(shopperOf(none, SECRET, NOW)).toBeUndefined();
    expect(shopperOf(`${token}x`, SECRET, NOW)).toBeUndefined();
  });

  test('are signed as docs/keys.md says', () => {
    const [, lines = ''] = /```js\n(import \{ createHmac \}[\s\S]*?)```/.exec(textOf('docs/keys.md')) ?? [];
    const token = execFileSync(process.execPath, ['--input-type=module', '--eval', `${lines}\nconsole.log(shopperToken)`], { encoding: 'utf8', env: { ...process.env, SHOPPER_TOKEN_SECRET: SECRET } });
    expect(shopperOf(token.trim(), SECRET, Date.now())).toBe('u1');
  });

  test('that were changed anywhere do not hold', () => {
    const token = signShopper('u1', SECRET, NOW + 1000);
    fc.assert(fc.property(fc.nat(token.length - 2), fc.constantFrom('A', 'z', '.', '-'), (at, letter) => {
      fc.pre(token[at] !== letter);
      expect(shopperOf(token.slice(0, at) + letter + token.slice(at + 1), SECRET, NOW)).toBeUndefined();
    }));
  });
});

describe('position tokens', () => {
  test('hold the highest position of each partition', () => {
    const positions = [{ topic: 'a', partition: 0, offset: 5 }, { topic: 'a', partition: 0, offset: 7 }, { topic: 'b', partition: 0, offset: 1 }, { topic: 'a', partition: 0, offset: 6 }];
    expect(decodeToken(encodeToken(positions))?.positions).toEqual([{ topic: 'a', partition: 0, offset: 7 }, { topic: 'b', partition: 0, offset: 1 }]);
    expect(decodeToken(encodeToken([]))).toEqual({ positions: [], merges: [] });
  });

  test('anything else is no token, and no exception', () => {
    for (const token of ['', 'x', 'W10=', '....', Buffer.from('[["a",0,-1]]').toString('base64url'), Buffer.from('[["a",0,1.5]]').toString('base64url'), Buffer.from('{}').toString('base64url')]) expect(decodeToken(token)).toBeUndefined();
    fc.assert(fc.property(fc.string(), fc.jsonValue(), (text, value) => {
      decodeToken(text);
      decodeToken(Buffer.from(JSON.stringify(value)).toString('base64url'));
    }));
  });
});
