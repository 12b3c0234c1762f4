//! The end-to-end cases: each is written once, against a pair of programs, and [`suite!`] makes tests of all of them for the
//! programs of one runtime. Everything happens on loopback, on ports that the system picks, in folders of its own.
//!
//! | module | what |
//! |---|---|
//! | [`programs`] | starting servers and clients, and stopping them |
//! | [`peer`] | a client that says just what a case tells it to |
//! | [`proxy`] | somebody in the middle |
//! | [`contract`] | what a user sees: messages, exit codes, the prompt |
//! | [`dialogues`] | the dialogues of the vector table, over sockets |
//! | [`transfers`] | files of all sizes, both ways, resumed and broken off |
//! | [`many`] | many files over one data connection, checks |
//! | [`secure`] | TLS: sessions and transfers |
//! | [`trust`] | TLS: certificates, and servers that do wrong |
//! | [`hostile`] | bad input, ways out of the root, floods |
//! | [`foreign`] | clients and servers that other people wrote |
//! | [`operation`] | settings, limits, stopping, memory |

pub mod certificates;
pub mod contract;
pub mod dialogues;
pub mod fake;
pub mod foreign;
pub mod hostile;
pub mod many;
pub mod operation;
pub mod peer;
pub mod programs;
pub mod proxy;
pub mod secure;
pub mod tls;
pub mod transfers;
pub mod trust;

/// Makes a test of every case, for a server and a client program.
#[macro_export]
macro_rules! suite {
    (server = $server:expr, client = $client:expr) => {
        $crate::pair!(server = $server, client = $client);
        $crate::cases!($server, $client;
            contract::bad_arguments_are_exit_2,
            dialogues::go_as_the_table_says,
            transfers::appends_from_two_clients_are_both_there,
            transfers::abort_stops_a_download_that_nobody_reads,
            transfers::late_data_connections_get_all,
            transfers::urgent_bytes_among_data_do_not_cut_it,
            many::a_long_digest_can_be_aborted,
            many::blocks_carry_files_of_all_sizes,
            transfers::uploads_replace_whole_and_keep_permissions,
            secure::bytes_behind_auth_are_never_commands,
            secure::uploads_that_are_cut_are_errors,
            secure::broken_handshakes_end_their_session_alone,
            secure::data_connections_resume_their_own_session,
            secure::handshakes_come_in_pieces,
            secure::the_end_of_a_protected_session_is_an_end,
            trust::certificates_are_judged,
            trust::downloads_that_are_cut_are_errors,
            trust::nothing_goes_in_clear_once_tls_is_asked_for,
            trust::files_are_read_again,
            trust::certificates_that_are_made_stay,
            hostile::bad_lines_get_their_error_and_nothing_else,
            hostile::nothing_leads_out_of_the_root,
            hostile::a_home_is_all_that_its_user_sees,
            hostile::data_connections_are_the_peers_alone,
            hostile::what_is_no_file_is_not_opened,
            hostile::a_broken_client_does_not_spin,
            foreign::suppaftp_moves_files,
            foreign::libunftp_serves_our_client,
            operation::bad_settings_are_exit_2,
            operation::settings_come_from_a_file_too,
            operation::a_stop_lets_a_transfer_finish,
            operation::sessions_are_limited,
            operation::memory_stays_flat,
            operation::a_password_hash_lets_its_user_in,
            operation::stuck_peers_hold_up_nobody_else,
            operation::floods_hold_up_nobody_else,
            operation::a_rush_leaves_nothing_behind,
            operation::sessions_leave_nothing_behind,
        );
    };
}

/// Makes a test of every case in which our client meets our server.
#[macro_export]
macro_rules! pair {
    (server = $server:expr, client = $client:expr) => {
        $crate::cases!($server, $client;
            contract::the_first_session_goes_as_promised,
            contract::the_prompt_survives_mistakes_and_quits,
            contract::commands_end_at_the_first_failure,
            contract::a_server_that_is_not_there_is_exit_2,
            contract::logins_come_from_arguments_environment_and_netrc,
            contract::urls_lead_to_a_folder,
            transfers::files_of_all_sizes_arrive_whole,
            transfers::many_files_by_wildcard,
            many::mget_and_mput_need_one_data_connection,
            many::many_files_fall_back_in_silence,
            many::files_are_checked_by_their_digest,
            transfers::downloads_resume,
            transfers::a_broken_upload_is_kept_and_resumed,
            transfers::names_are_bytes,
            transfers::a_whole_upload_forgets_an_earlier_part,
            transfers::a_killed_client_leaves_the_old_file,
            transfers::a_killed_server_leaves_the_old_local_file,
            transfers::texts_are_converted,
            secure::protected_sessions_move_files,
        );
    };
}

/// Makes a test of each named case.
#[macro_export]
macro_rules! cases {
    ($server:expr, $client:expr; $($module:ident::$case:ident,)*) => {
        $(
            #[test]
            fn $case() {
                $crate::$module::$case(&$crate::programs::Programs::new($server, $client));
            }
        )*
    };
}
