/** The public setup: Ethereum's KZG ceremony (spec, encodings, section 5). */

/** The SHA-256 of the ceremony's file, and [tau]_2 in compressed form. A verifier needs nothing else of it. */
export const CEREMONY = {
  digest: "d39b9f2d047cc9dca2de58f264b6a09448ccd34db967881a6713eacacf0f26b7",
  tau:
    "b5bfd7dd8cdeb128843bc287230af38926187075cbfbefa81009a2ce615ac53d2914e5870cb452d2afaaab24f3499f72" +
    "185cbfee53492714734429b7b38608e23926c911cceceac9a36851477ba4c60b087041de621000edc98edada20c1def2",
} as const;

/** The name of the argument, with which the transcript starts. */
export const PROTOCOL = "zkmargin/margin-argument/2";
