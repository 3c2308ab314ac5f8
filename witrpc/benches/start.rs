//! What it takes to start a server and to connect, the first time in a process: both learn the form of
//! all types then. Run it with `--profile dev` for what a developer waits for.

mod support;

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use witrpc::{Codec, InProcess, WitServer};

use support::options::Options;
use support::report::Report;

/// Defines an enum of 51 variants that holds itself and another one.
macro_rules! recursive {
    ($name:ident $other:ident: $($unit:ident)*; $($boxed:ident)*; $($named:ident)*;) => {
        #[derive(Serialize, Deserialize)]
        pub(crate) enum $name {
            $($unit,)*
            $($boxed(Box<$other>),)*
            $($named { left: Box<$name>, right: Vec<$other>, at: (u32, u32), note: Option<String> },)*
        }
    };
}

recursive! { Statement Expression:
    Su00 Su01 Su02 Su03 Su04 Su05 Su06 Su07 Su08 Su09 Su10 Su11 Su12 Su13 Su14 Su15 Su16;
    Sb00 Sb01 Sb02 Sb03 Sb04 Sb05 Sb06 Sb07 Sb08 Sb09 Sb10 Sb11 Sb12 Sb13 Sb14 Sb15 Sb16;
    Sn00 Sn01 Sn02 Sn03 Sn04 Sn05 Sn06 Sn07 Sn08 Sn09 Sn10 Sn11 Sn12 Sn13 Sn14 Sn15 Sn16;
}

recursive! { Expression Statement:
    Eu00 Eu01 Eu02 Eu03 Eu04 Eu05 Eu06 Eu07 Eu08 Eu09 Eu10 Eu11 Eu12 Eu13 Eu14 Eu15 Eu16;
    Eb00 Eb01 Eb02 Eb03 Eb04 Eb05 Eb06 Eb07 Eb08 Eb09 Eb10 Eb11 Eb12 Eb13 Eb14 Eb15 Eb16;
    En00 En01 En02 En03 En04 En05 En06 En07 En08 En09 En10 En11 En12 En13 En14 En15 En16;
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Order {
    number: u64,
    lines: Vec<Line>,
    note: Option<String>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Line {
    article: String,
    count: u32,
    price: f64,
}

macro_rules! many {
    ($($method:ident)*) => {
        #[witrpc::wit_service]
        pub(crate) trait Many {
            $(fn $method(&self, order: Order, by: &str) -> Result<Order, String>;)*
        }

        impl Many for Idle {
            $(fn $method(&self, order: Order, _: &str) -> Result<Order, String> {
                Ok(order)
            })*
        }
    };
}

/// Defines 30 methods of both enums, whose types differ.
macro_rules! compiler {
    ($($plain:ident $listed:ident $optional:ident $both:ident $fallible:ident;)*) => {
        #[witrpc::wit_service]
        pub(crate) trait Compiler {
            $(
                fn $plain(&self, of: Statement) -> Expression;
                fn $listed(&self, of: Vec<Statement>) -> Vec<Expression>;
                fn $optional(&self, of: Option<Expression>) -> Option<Statement>;
                fn $both(&self, of: (Statement, Expression)) -> u64;
                fn $fallible(&self, of: Box<Expression>) -> Result<Statement, Expression>;
            )*
        }

        impl Compiler for Idle {
            $(
                fn $plain(&self, _: Statement) -> Expression {
                    unreachable!("it is not called")
                }

                fn $listed(&self, _: Vec<Statement>) -> Vec<Expression> {
                    Vec::new()
                }

                fn $optional(&self, _: Option<Expression>) -> Option<Statement> {
                    None
                }

                fn $both(&self, _: (Statement, Expression)) -> u64 {
                    0
                }

                fn $fallible(&self, of: Box<Expression>) -> Result<Statement, Expression> {
                    Err(*of)
                }
            )*
        }
    };
}

struct Idle;

many! {
    m000 m001 m002 m003 m004 m005 m006 m007 m008 m009 m010 m011 m012 m013 m014 m015 m016 m017
    m018 m019 m020 m021 m022 m023 m024 m025 m026 m027 m028 m029 m030 m031 m032 m033 m034 m035
    m036 m037 m038 m039 m040 m041 m042 m043 m044 m045 m046 m047 m048 m049 m050 m051 m052 m053
    m054 m055 m056 m057 m058 m059 m060 m061 m062 m063 m064 m065 m066 m067 m068 m069 m070 m071
    m072 m073 m074 m075 m076 m077 m078 m079 m080 m081 m082 m083 m084 m085 m086 m087 m088 m089
    m090 m091 m092 m093 m094 m095 m096 m097 m098 m099 m100 m101 m102 m103 m104 m105 m106 m107
    m108 m109 m110 m111 m112 m113 m114 m115 m116 m117 m118 m119 m120 m121 m122 m123 m124 m125
    m126 m127 m128 m129 m130 m131 m132 m133 m134 m135 m136 m137 m138 m139 m140 m141 m142 m143
    m144 m145 m146 m147 m148 m149 m150 m151 m152 m153 m154 m155 m156 m157 m158 m159 m160 m161
    m162 m163 m164 m165 m166 m167 m168 m169 m170 m171 m172 m173 m174 m175 m176 m177 m178 m179
    m180 m181 m182 m183 m184 m185 m186 m187 m188 m189 m190 m191 m192 m193 m194 m195 m196 m197
    m198 m199 m200 m201 m202 m203 m204 m205 m206 m207 m208 m209 m210 m211 m212 m213 m214 m215
    m216 m217 m218 m219 m220 m221 m222 m223 m224 m225 m226 m227 m228 m229 m230 m231 m232 m233
    m234 m235 m236 m237 m238 m239 m240 m241 m242 m243 m244 m245 m246 m247 m248 m249 m250 m251
    m252 m253 m254 m255 m256 m257 m258 m259 m260 m261 m262 m263 m264 m265 m266 m267 m268 m269
    m270 m271 m272 m273 m274 m275 m276 m277 m278 m279 m280 m281 m282 m283 m284 m285 m286 m287
    m288 m289 m290 m291 m292 m293 m294 m295 m296 m297 m298 m299
}

compiler! {
    a0 a1 a2 a3 a4;
    b0 b1 b2 b3 b4;
    c0 c1 c2 c3 c4;
    d0 d1 d2 d3 d4;
    e0 e1 e2 e3 e4;
    f0 f1 f2 f3 f4;
}

/// The most that a start may take, in milliseconds.
const GOAL: f64 = if cfg!(debug_assertions) { 200.0 } else { 20.0 };

fn main() {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let report = Report::new(Options::from_args(&args));
    let (place, builder) = (InProcess::new(), WitServer::builder());
    let many = builder.listen(place.clone()).service(ManyServer::new(Idle));
    let many = timed(|| many.start().expect("the place is free"));
    report.goal("start_300_methods", many.1, "ms", GOAL);
    let client = timed(|| ManyClient::connect(place).expect("it is served"));
    report.goal("connect_300_methods", client.1, "ms", GOAL);

    let (place, builder) = (InProcess::new(), WitServer::builder());
    let compiler = builder.listen(place.clone()).service(CompilerServer::new(Idle));
    let compiler = timed(|| compiler.start().expect("the place is free"));
    report.goal("start_two_recursive_enums_30_methods", compiler.1, "ms", GOAL);
    let client = CompilerClient::builder(place).codec(Codec::Postcard);
    let client = timed(|| client.connect().expect("it is served"));
    report.goal("connect_two_recursive_enums_30_methods", client.1, "ms", GOAL);
}

/// Returns what `run` returns, and how many milliseconds of this thread's time it took: other programs of
/// the machine do not count.
fn timed<T>(run: impl FnOnce() -> T) -> (T, f64) {
    let start = thread_time();
    let done = run();
    (done, thread_time() - start)
}

fn thread_time() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}
