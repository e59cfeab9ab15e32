/** The page's modules are JavaScript, which the compiler does not read. */
const { hasRemoteContent } = jest.requireActual<{ hasRemoteContent: (html: string) => boolean }>(
  "../../inbox/frame.js",
);

describe("a mail asks for something that is not in it", () => {
  it.each([
    '<img alt="" src="https://a.example/x.png">',
    "<IMG SRC = ' //a.example/x.png'>",
    "<img src=http://a.example/x.png>",
    '<img srcset="//a.example/x.png 2x">',
    '<link rel="stylesheet" href="https://a.example/x.css">',
    "<video\nsrc\n=\nhttps://a.example>",
    `<img alt="${"x".repeat(5000)}" src="https://a.example/x.png">`,
    '<img alt="//" src="https://a.example/x.png">',
    "<p style=\"background: url( 'https://a.example/x.png' )\">",
    "<style>@import 'HTTPS://a.example/x.css';</style>",
    '<table background="//a.example/x.png">',
  ])("%j", (html) => {
    expect(hasRemoteContent(html)).toBe(true);
  });

  it.each([
    "",
    '<a href="https://a.example/">',
    "<img src=data:image/png;base64,//8=>",
    '<img src="cid:x"> https://a.example/x.png',
    '<img src="cid:x"><a href="https://a.example/">',
    '<p data-mybackground="https://a.example/">',
    "url(data:,) // src = https://a.example",
    "src = //a.example",
  ])("but not with %j", (html) => {
    expect(hasRemoteContent(html)).toBe(false);
  });
});

it("as many characters are read for each that a mail has, whatever it has", () => {
  const size = 262_144;
  const reads = (part: string): number => {
    const html = part.repeat(Math.ceil(size / part.length));
    const charAt = jest.spyOn(String.prototype, "charAt");
    try {
      expect(hasRemoteContent(html)).toBe(false);
      return charAt.mock.calls.length / size;
    } finally {
      charAt.mockRestore();
    }
  };
  const blanks = " ".repeat(size);
  const parts = [
    "<img ",
    "<img src=",
    "src = ' ",
    "background =  ",
    "//",
    "= // ",
    `${" ".repeat(999)}//`,
    `url(${blanks}`,
  ];
  for (const part of parts) {
    expect([part.slice(0, 20), reads(part) < 4]).toEqual([part.slice(0, 20), true]);
  }
});
