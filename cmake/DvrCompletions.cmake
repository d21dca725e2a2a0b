# dvr_install_completion(SHELL FOLDER NAME): installs what `dvrtrace completion SHELL` prints as FOLDER/NAME. The options are
# declared once, in the program; nothing here lists them again.
function(dvr_install_completion shell folder name)
  set(file ${PROJECT_BINARY_DIR}/completions/${shell}/${name})
  install(CODE "
    file(MAKE_DIRECTORY \"${PROJECT_BINARY_DIR}/completions/${shell}\")
    execute_process(COMMAND \"$<TARGET_FILE:dvrtrace>\" completion ${shell}
                    OUTPUT_FILE \"${file}\" COMMAND_ERROR_IS_FATAL ANY)")
  install(FILES ${file} DESTINATION ${folder})
endfunction()
